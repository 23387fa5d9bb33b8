import type { Egress, EgressRequest, EgressResponse } from '@spanwise/tool-kit/contract';
import { type buildConnector, Client } from 'undici';
import { outOfTime } from './egress-errors.ts';
import { EgressGuard } from './egress-guard.ts';
import { type Answer, asFetchError, connectionLimits, exchange, type Hop, textOf } from './exchange.ts';
import type { GuardOptions } from './guard-options.ts';
import { guardedConnector, resolveBySystem } from './guarded-connector.ts';
import { assertMayRedirect, isSameHost, nextHop, redirectOf } from './redirect.ts';
import { requestHeaders } from './request-headers.ts';

const defaultMaxBytes = 5 * 1024 * 1024;
const defaultTimeoutMs = 30_000;
const connectTimeoutMs = 10_000;

/** The limits of one fetch, and what it stops at. */
interface Bounds {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** An answer that is to be followed. */
interface Redirection {
  readonly status: number;
  readonly to: URL;
}

/**
 * The web behind the guard. Every request has a connection of its own, which nothing that follows can be answered on:
 * callers share nothing, and a name is judged anew each time. Variables of the environment that name a proxy are not read.
 */
export class GuardedEgress implements Egress {
  readonly #guard: EgressGuard;
  readonly #connect: buildConnector.connector;

  /** Throws INVALID_FIELD for an entry of `allow` that can not be used. */
  constructor({ allow = [], resolve = resolveBySystem, ca }: GuardOptions = {}) {
    this.#guard = new EgressGuard(allow);
    this.#connect = guardedConnector({ guard: this.#guard, resolve, ca, timeoutMs: connectTimeoutMs });
  }

  async fetch(address: string, request: EgressRequest, signal: AbortSignal): Promise<EgressResponse> {
    signal.throwIfAborted();
    const { timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes } = request;
    const deadline = AbortSignal.timeout(timeoutMs);
    const hop = this.#firstHop(address, request);
    try {
      const bounds = { maxBytes, signal: AbortSignal.any([signal, deadline]) };
      return await this.#follow(hop, request, bounds);
    } catch (error) {
      signal.throwIfAborted();
      throw deadline.aborted ? outOfTime(hop.url.hostname, timeoutMs) : error;
    }
  }

  #firstHop(address: string, { method = 'GET', headers = {}, body }: EgressRequest): Hop {
    return {
      url: this.#guard.parse(address),
      method,
      headers: requestHeaders(Object.entries(headers)),
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    };
  }

  async #follow(first: Hop, request: EgressRequest, bounds: Bounds): Promise<EgressResponse> {
    const { maxRedirects = 5, staysOnHost = false } = request;
    let hop = first;
    for (let count = 0; ; count += 1) {
      const response = await this.#send(hop, bounds, (to) => !staysOnHost || isSameHost(first.url, to));
      if (!('to' in response)) {
        return response;
      }
      assertMayRedirect(hop.url, count, maxRedirects);
      hop = nextHop(this.#guard, hop, response.status, response.to);
    }
  }

  /** One request on one connection, which is closed before this returns. */
  async #send(
    hop: Hop,
    { maxBytes, signal }: Bounds,
    isFollowed: (to: URL) => boolean,
  ): Promise<EgressResponse | Redirection> {
    const { hostname, origin } = hop.url;
    const client = new Client(origin, {
      ...connectionLimits,
      pipelining: 0,
      // The deadline is for all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.#connect,
    });
    try {
      const answer = await exchange(client, hop, { maxBytesOf: () => maxBytes }, signal);
      const to = redirectOf(hop.url, answer);
      if (to !== undefined && isFollowed(to)) {
        return { status: answer.status, to };
      }
      return {
        ...(await readAnswer(answer, maxBytes)),
        url: hop.url.href,
        ...(to === undefined ? {} : { redirectsTo: to.href }),
      };
    } catch (error) {
      throw asFetchError(error, hostname);
    } finally {
      await client.destroy();
    }
  }
}

async function readAnswer({ status, headers, body }: Answer, maxBytes: number) {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      break;
    }
  }
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, textOf(value)])),
    body: new Uint8Array(Buffer.concat(chunks, Math.min(bytes, maxBytes))),
    isTruncated: bytes > maxBytes,
  };
}
