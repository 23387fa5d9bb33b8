import { DomainError } from '@spanwise/kernel';
import type { Dispatcher } from 'undici';
import { decodedBody } from './decoded-body.ts';
import { noAnswer } from './egress-errors.ts';
import type { RequestHeaders } from './request-headers.ts';

/** Limits of HTTP/1.1 that every connection has. */
export const connectionLimits = { allowH2: false, pipelining: 1, maxHeaderSize: 32 * 1024 } as const;

/** `103 Early Hints` and the like before an answer. */
const maxInformational = 16;

/** One request of a chain of redirects. */
export interface Hop {
  /** Has passed {@link EgressGuard.parse}. */
  readonly url: URL;
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly body: Uint8Array | undefined;
}

/** An answer whose body is still to be read; whoever does not read it to its end closes it. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Decoded. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection; what reads the body meanwhile fails. */
  close(): void;
}

export interface ExchangeLimits {
  /** Of the body, before and after decoding: see {@link decodedBody}. */
  readonly maxBytesOf: (headers: Answer['headers']) => number;
}

/** Sends one request and reads the beginning of its answer. Throws what undici throws, a DomainError, or the signal's reason. */
export async function exchange(
  dispatcher: Dispatcher,
  { url, method, headers, body }: Hop,
  { maxBytesOf }: ExchangeLimits,
  signal: AbortSignal,
): Promise<Answer> {
  const flood = new AbortController();
  let informational = 0;
  const answer = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { ...headers },
    body: body ?? null,
    signal: AbortSignal.any([signal, flood.signal]),
    onInfo: () => {
      informational += 1;
      if (informational > maxInformational) {
        flood.abort(noAnswer(url.hostname, undefined));
      }
    },
  });
  const { statusCode: status, statusText } = answer;
  const named = definedOf(answer.headers);
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
  const close = () => void answer.body.on('error', () => {}).destroy();
  try {
    const encoding = hasBody ? textOf(named['content-encoding']) : '';
    const decoded = decodedBody(answer.body, encoding, url.hostname, maxBytesOf(named));
    return { status, statusText, headers: named, body: decoded, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Several values of a header are joined. */
export function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value ?? []).join(', ');
}

/** An error of undici, of a decoder or of the network as FETCH_FAILED; a DomainError as it is. */
export function asFetchError(error: unknown, host: string): DomainError {
  return error instanceof DomainError ? error : noAnswer(host, error);
}

function definedOf(headers: Dispatcher.ResponseData['headers']): Answer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
