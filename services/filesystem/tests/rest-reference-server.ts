import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError, systemClock } from '@spanwise/kernel';
import { readWhole } from '../src/application/file-content.ts';
import { FileError } from '../src/domain/disk/file-errors.ts';
import type { ByteRange, DiskNode, FileNode } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { MemoryDisk } from '../src/infrastructure/disks/memory/memory-disk.ts';
import { ada, never } from './files-fixture.ts';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, byte by byte. */
  readonly url: string;
  /** Empty when there was none. */
  readonly token: string;
}

export interface RestReferenceServer extends AsyncDisposable {
  /** What a disk takes as its base URL. */
  readonly baseUrl: string;
  readonly seen: readonly SeenRequest[];
  /** What has been answered: method, with a slash where the directory was meant, and status. */
  readonly answered: ReadonlySet<string>;
  /** What is told outside of the base URL. */
  readonly outside: string;
}

export interface ReferenceServerOptions {
  /** Tokens that are taken; everybody's by default, and none is asked for. */
  readonly tokens?: readonly string[];
}

const directoryType = 'application/vnd.spanwise.directory+json';
const statusOfReason: Readonly<Record<string, number>> = { FILE_NOT_FOUND: 404, ETAG_MISMATCH: 412, PATH_INVALID: 400 };

/** A server of the API of rest-disk.openapi.yaml, with its files in memory. */
export async function startRestReferenceServer({ tokens }: ReferenceServerOptions = {}): Promise<RestReferenceServer> {
  const files = new MemoryDisk({ clock: systemClock });
  const seen: SeenRequest[] = [];
  const answered = new Set<string>();
  const outside = 'outside of the base URL';
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    const { method = '', url = '' } = request;
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    seen.push({ method, url, token });
    response.on('finish', () => {
      const isDirectory = url.split('?', 1)[0]?.endsWith('/') === true;
      answered.add(`${method}${isDirectory ? '/' : ''} ${response.statusCode}`);
    });
    if (!url.startsWith('/users/files/')) {
      response.end(outside);
    } else if (tokens !== undefined && !tokens.includes(token)) {
      problem(response, 401, {});
    } else {
      Promise.try(() => new Exchange(files, request, response).answer()).catch((error: unknown) =>
        refuse(response, error),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/users/files`,
    ...{ seen, answered, outside },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One request and its answer. */
class Exchange {
  readonly #files: MemoryDisk;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #query: URLSearchParams;
  readonly #path: VirtualPath;
  /** Whether the directory at the path is meant, and nothing else. */
  readonly #isDirectory: boolean;

  constructor(files: MemoryDisk, request: IncomingMessage, response: ServerResponse) {
    const [target = '', query = ''] = (request.url ?? '').split('?', 2);
    const segments = target.slice('/users/files/'.length).split('/');
    this.#files = files;
    this.#request = request;
    this.#response = response;
    this.#query = new URLSearchParams(query);
    this.#isDirectory = segments.at(-1) === '';
    this.#path = segments
      .slice(0, this.#isDirectory ? -1 : undefined)
      .map(decodeURIComponent)
      .reduce((path, segment) => path.child(segment), VirtualPath.root);
  }

  async answer(): Promise<void> {
    switch (`${this.#request.method}${this.#isDirectory ? '/' : ''}`) {
      case 'HEAD':
      case 'HEAD/':
        return this.#tell();
      case 'GET':
        return this.#read();
      case 'GET/':
        return this.#list();
      case 'PUT':
        return this.#write();
      case 'PUT/':
        await this.#files.makeDirectory(ada, this.#path, never);
        return this.#done(201);
      case 'DELETE':
        return this.#remove();
      case 'POST':
        return this.#move();
      default:
        return problem(this.#response, 405, {});
    }
  }

  async #tell(): Promise<void> {
    const node = await this.#existing();
    this.#done(200, node.kind === 'file' ? { ...fileHeaders(node), 'content-length': node.size } : directoryHeaders);
  }

  async #read(): Promise<void> {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(this.#request.headers.range ?? '') ?? [];
    const files = { read: (path: VirtualPath, range: ByteRange) => this.#files.read(ada, path, range, never) };
    const { data, node } = await readWhole(files, this.#path, never);
    if (first === undefined) {
      this.#done(200, { ...fileHeaders(node), 'content-length': data.length }, data);
    } else if (Number(first) >= data.length) {
      this.#done(416, { ...fileHeaders(node), 'content-range': `bytes */${data.length}` });
    } else {
      const part = data.subarray(Number(first), Number(last) + 1);
      const range = `bytes ${first}-${Number(first) + part.length - 1}/${data.length}`;
      this.#done(206, { ...fileHeaders(node), 'content-length': part.length, 'content-range': range }, part);
    }
  }

  async #list(): Promise<void> {
    const [after, limit] = [this.#query.get('after') ?? '', Number(this.#query.get('limit') ?? 100)];
    const page = await this.#files.list(ada, this.#path, { after, limit, withEtags: true }, never);
    const entries = page.entries.map(({ name, node }) => ({ name, ...told(node) }));
    this.#done(200, directoryHeaders, JSON.stringify({ entries, next: page.next }));
  }

  async #write(): Promise<void> {
    const chunks = await Array.fromAsync<Buffer>(this.#request);
    const ifMatch = unquoted(this.#request.headers['if-match']);
    const createOnly = this.#request.headers['if-none-match'] === '*';
    try {
      const data = Buffer.concat(chunks);
      const { node, isCreated } = await this.#files.write(ada, this.#path, data, { ifMatch, createOnly }, never);
      this.#done(isCreated ? 201 : 204, fileHeaders(node));
    } catch (error) {
      if (createOnly && error instanceof FileError && error.reason === 'FILE_EXISTS') {
        return problem(this.#response, 412, {});
      }
      throw error;
    }
  }

  async #remove(): Promise<void> {
    const ifMatch = unquoted(this.#request.headers['if-match']);
    const isRecursive = this.#query.get('recursive') === 'true';
    await this.#files.remove(ada, this.#path, { isRecursive, ifMatch }, never);
    this.#done(204);
  }

  async #move(): Promise<void> {
    const to = VirtualPath.parse(this.#query.get('move_to') ?? '');
    const node = await this.#files.rename(ada, this.#path, to, never);
    this.#done(200, { 'content-type': 'application/json' }, JSON.stringify(told(node)));
  }

  async #existing(): Promise<DiskNode> {
    const node = await this.#files.stat(ada, this.#path, never);
    return node ?? this.#files.read(ada, this.#path, { offset: 0, length: 1 }, never).then((slice) => slice.node);
  }

  #done(status: number, headers: Readonly<Record<string, string | number>> = {}, body?: string | Uint8Array): void {
    this.#response.writeHead(status, headers).end(body);
  }
}

const directoryHeaders = { 'content-type': directoryType };

function fileHeaders({ etag, modifyTimeMs = 0 }: FileNode) {
  return { etag: `"${etag}"`, 'last-modified': new Date(modifyTimeMs).toUTCString(), 'content-type': 'text/plain' };
}

function told(node: DiskNode) {
  return node.kind === 'directory'
    ? { kind: node.kind }
    : {
        kind: node.kind,
        size: node.size,
        etag: `"${node.etag}"`,
        modify_time: new Date(node.modifyTimeMs ?? 0).toISOString(),
      };
}

function unquoted(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : (/^"(.*)"$/.exec(etag)?.[1] ?? '');
}

function refuse(response: ServerResponse, error: unknown): void {
  const { reason = 'INTERNAL', facts = {} } = error instanceof DomainError ? error : {};
  const status = statusOfReason[reason] ?? (error instanceof FileError ? 409 : 500);
  problem(response, status, status === 400 || status === 409 ? { reason, path: facts.path } : {});
}

function problem(response: ServerResponse, status: number, more: object): void {
  const body = JSON.stringify({ type: 'about:blank', title: 'It was refused', status, ...more });
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(body);
}
