import { Agent } from 'undici';
import { answerTooLong } from './egress-errors.ts';
import { EgressGuard } from './egress-guard.ts';
import { type Answer, asFetchError, connectionLimits, exchange, type Hop, textOf } from './exchange.ts';
import type { GuardOptions } from './guard-options.ts';
import { guardedConnector, resolveBySystem } from './guarded-connector.ts';
import { assertMayRedirect, nextHop, redirectOf } from './redirect.ts';
import { requestHeaders } from './request-headers.ts';

export interface GuardedFetchOptions extends GuardOptions {
  /** Milliseconds until an answer begins, and between two pieces of its body; default 60,000. There is no limit for all of it. */
  readonly idleTimeoutMs?: number;
  /** Bytes of a body, counted after decoding; default 16 MiB. An event stream may be longer: its reader counts. */
  readonly maxBytes?: number;
  /** Redirects that are followed, each checked like the first address; default 5. */
  readonly maxRedirects?: number;
}

const connectTimeoutMs = 10_000;
const bodyless = new Set([204, 205, 304]);

/**
 * A `fetch` that reaches only what the guard lets through, for libraries that take one. Bodies of answers are streamed, so
 * event streams work. Connections are kept open for some seconds and shared within this function, so make one for each
 * user and server. No cookie, cache or proxy.
 *
 * Rejects, and fails reading of a body, with EGRESS_REFUSED, FETCH_FAILED or the reason of the request's signal. Bodies
 * of requests are read into memory first. Throws INVALID_FIELD for an entry of `allow` that can not be used.
 */
export function guardedFetch(options: GuardedFetchOptions = {}): typeof fetch {
  const { idleTimeoutMs = 60_000, maxBytes = 16 * 1024 * 1024, maxRedirects = 5 } = options;
  const guard = new EgressGuard(options.allow ?? []);
  const agent = new Agent({
    ...connectionLimits,
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connect: guardedConnector({
      guard,
      resolve: options.resolve ?? resolveBySystem,
      timeoutMs: Math.min(connectTimeoutMs, idleTimeoutMs),
      ca: options.ca,
    }),
  });
  const maxBytesOf = (headers: Answer['headers']) => (isEventStream(headers) ? Number.POSITIVE_INFINITY : maxBytes);
  return async (input, init) => {
    const url = guard.parse(addressOf(input));
    const request = new Request(input instanceof Request ? input : url, init);
    const { signal, redirect } = request;
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    let hop: Hop = { url, method: request.method, headers: requestHeaders(request.headers), body };
    for (let count = 0; ; count += 1) {
      const answer = await exchange(agent, hop, { maxBytesOf }, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw asFetchError(error, hop.url.hostname);
      });
      const to = redirect === 'manual' ? undefined : redirectOfAnswer(hop.url, answer);
      if (to === undefined) {
        return responseOf(answer, hop.url, count > 0, maxBytesOf(answer.headers), signal);
      }
      answer.close();
      assertMayRedirect(hop.url, count, redirect === 'error' ? 0 : maxRedirects);
      hop = nextHop(guard, hop, answer.status, to);
    }
  };
}

function addressOf(input: string | URL | Request): string {
  return typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
}

function redirectOfAnswer(from: URL, answer: Answer): URL | undefined {
  try {
    return redirectOf(from, answer);
  } catch (error) {
    answer.close();
    throw error;
  }
}

function isEventStream(headers: Answer['headers']): boolean {
  return textOf(headers['content-type']).toLowerCase().startsWith('text/event-stream');
}

function responseOf(answer: Answer, url: URL, redirected: boolean, maxBytes: number, signal: AbortSignal): Response {
  const { status, statusText } = answer;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const one of typeof value === 'string' ? [value] : value) {
      headers.append(name, one);
    }
  }
  // The body is decoded, so these are no longer true of it.
  headers.delete('content-encoding');
  headers.delete('content-length');
  const stream = webStreamOf(answer, url.hostname, maxBytes, signal);
  try {
    const response = new Response(bodyless.has(status) ? null : stream, { status, statusText, headers });
    // Of a response that code has made these are empty, and they can not be given.
    Object.defineProperties(response, { url: { value: url.href }, redirected: { value: redirected } });
    return response;
  } catch (error) {
    // A status that fetch does not know.
    answer.close();
    throw asFetchError(error, url.hostname);
  }
}

/** Read as it is asked for. Cancelling it closes the connection at once, also while nothing comes. */
function webStreamOf(answer: Answer, host: string, maxBytes: number, signal: AbortSignal): ReadableStream<Uint8Array> {
  const chunks = answer.body[Symbol.asyncIterator]();
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done === true) {
            controller.close();
            return;
          }
          bytes += value.byteLength;
          if (bytes > maxBytes) {
            throw answerTooLong(host, maxBytes);
          }
          controller.enqueue(value);
        } catch (error) {
          answer.close();
          controller.error(signal.aborted ? signal.reason : asFetchError(error, host));
        }
      },
      cancel: () => answer.close(),
    },
    { highWaterMark: 0 },
  );
}
