import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { listingXml, type StubObject } from './s3-stub-listing.ts';
import { flawOfSignature, type StubCredentials } from './s3-stub-signature.ts';

/** A request that the stub has got, with the keys, or prefixes of listings, that it is about. */
export interface StubRequest {
  readonly method: string;
  readonly key: string;
  readonly isListing: boolean;
  readonly headers: IncomingMessage['headers'];
}

/** Answers a request in place of the stub. */
export type StubFault = (response: ServerResponse) => void;

export interface S3StubOptions {
  /** Conditions of requests that it takes and does not look at, as many servers do. */
  readonly ignores?: readonly ('if-match' | 'if-none-match' | 'if-match of reads' | 'metadata')[];
}

export const stubBucket = 'archive';
export const stubCredentials: StubCredentials = { accessKeyId: 'AKIDOFTESTS', secretAccessKey: 'secret/of+tests' };
const maxKeyBytes = 1024;

/**
 * As much of S3 as the disk uses, on a loopback port, as AWS documents it: signatures, conditions, ranges, listings. Every
 * request is refused that is not signed. What it does not know, such as the removal of several objects, is NotImplemented.
 */
export class S3Stub implements AsyncDisposable {
  readonly objects = new Map<string, StubObject>();
  readonly log: StubRequest[] = [];
  /** Decides whether a request, which is signed, is answered by something else. */
  fault: ((request: StubRequest) => StubFault | undefined) | undefined;
  readonly #ignored: ReadonlySet<string>;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  private constructor({ ignores = [] }: S3StubOptions) {
    this.#ignored = new Set(ignores);
  }

  static async open(options: S3StubOptions = {}): Promise<S3Stub> {
    const stub = new S3Stub(options);
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Puts an object there as somebody else would. */
  plant(key: string, text: string): void {
    this.#store(key, Buffer.from(text), {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: target = '', headers } = request;
    const body = await buffer(request);
    const flaw = flawOfSignature({ method, target, headers, body }, stubCredentials, Date.now());
    if (flaw !== undefined) {
      refuse(response, 403, flaw);
      return;
    }
    const [path = '', text = ''] = target.split('?', 2);
    const [, bucket, ...segments] = path.split('/').map(decodeURIComponent);
    const query = new URLSearchParams(text);
    const isListing = query.get('list-type') === '2';
    const key = isListing ? (query.get('prefix') ?? '') : segments.join('/');
    const told = { method, key, isListing, headers };
    this.log.push(told);
    const fault = this.fault?.(told);
    if (fault !== undefined) {
      fault(response);
    } else if (bucket !== stubBucket) {
      refuse(response, 404, 'NoSuchBucket');
    } else if (isListing) {
      response.setHeader('content-type', 'application/xml').end(listingXml(this.objects, query));
    } else if (Buffer.byteLength(key) > maxKeyBytes) {
      refuse(response, 400, 'KeyTooLongError');
    } else {
      this.#answerObject(told, body, [...query.keys()], response);
    }
  }

  #answerObject(request: StubRequest, body: Uint8Array, query: readonly string[], response: ServerResponse): void {
    const { method, key } = request;
    const isPlain = query.length === 0 && key !== '' && request.headers['x-amz-copy-source'] === undefined;
    if (isPlain && method === 'PUT') {
      this.#put(request, body, response);
    } else if (isPlain && method === 'DELETE') {
      this.objects.delete(key);
      response.writeHead(204).end();
    } else if (isPlain && (method === 'GET' || method === 'HEAD')) {
      this.#get(request, response);
    } else {
      refuse(response, 501, 'NotImplemented');
    }
  }

  #put({ key, headers }: StubRequest, body: Uint8Array, response: ServerResponse): void {
    const old = this.objects.get(key);
    const ifMatch = this.#condition(headers, 'if-match');
    if (this.#condition(headers, 'if-none-match') === '*' && old !== undefined) {
      refuse(response, 412, 'PreconditionFailed');
    } else if (ifMatch !== undefined && old === undefined) {
      refuse(response, 404, 'NoSuchKey');
    } else if (ifMatch !== undefined && ifMatch !== old?.tag) {
      refuse(response, 412, 'PreconditionFailed');
    } else {
      response.setHeader('etag', this.#store(key, body, headers)).end();
    }
  }

  #get({ method, key, headers }: StubRequest, response: ServerResponse): void {
    const object = this.objects.get(key);
    const ifMatch = this.#ignored.has('if-match of reads') ? undefined : headers['if-match'];
    if (object === undefined) {
      refuse(response, 404, 'NoSuchKey', method === 'HEAD');
      return;
    }
    if (ifMatch !== undefined && ifMatch !== object.tag) {
      refuse(response, 412, 'PreconditionFailed', method === 'HEAD');
      return;
    }
    const { data, tag, modifyTimeMs, metadata } = object;
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
    if (first !== undefined && Number(first) >= data.length) {
      refuse(response, 416, 'InvalidRange', method === 'HEAD');
      return;
    }
    const part = first === undefined ? data : data.subarray(Number(first), last ? Number(last) + 1 : undefined);
    if (first !== undefined) {
      response.statusCode = 206;
      response.setHeader('content-range', `bytes ${first}-${Number(first) + part.length - 1}/${data.length}`);
    }
    for (const [name, value] of Object.entries(metadata)) {
      response.setHeader(name, value);
    }
    response.setHeader('etag', tag).setHeader('last-modified', new Date(modifyTimeMs).toUTCString());
    response.setHeader('content-length', part.length).end(method === 'HEAD' ? undefined : part);
  }

  #condition(headers: IncomingMessage['headers'], name: 'if-match' | 'if-none-match'): string | undefined {
    return this.#ignored.has(name) ? undefined : headers[name];
  }

  #store(key: string, body: Uint8Array, headers: IncomingMessage['headers']): string {
    const kept = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
    const metadata = this.#ignored.has('metadata')
      ? {}
      : Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
    const tag = `"${createHash('md5').update(body).digest('hex')}"`;
    this.objects.set(key, { data: body, tag, modifyTimeMs: Date.now(), metadata });
    return tag;
  }
}

/** An error as S3 tells it. */
export function refuse(response: ServerResponse, status: number, code: string, isHead = false): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>refused</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml' }).end(isHead ? undefined : xml);
}
