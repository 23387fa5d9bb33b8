import { type Clock, DomainError } from '@spanwise/kernel';
import { type Dispatcher, Pool } from 'undici';
import type { Caller } from '../../../domain/disk/caller.ts';
import { diskAuthRequired, diskUnavailable, diskUnsupported } from '../../../domain/disk/disk-errors.ts';
import { countOf, RestAnswer } from './rest-answer.ts';
import { authorizationOf, type RestAuth } from './rest-auth.ts';

export interface RestConnectionDeps {
  /** Name of the disk. */
  readonly name: string;
  readonly origin: string;
  readonly auth: RestAuth;
  /** Milliseconds for a whole request: waiting for a connection, sending, and reading all of the answer. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'nowMs'>;
}

export interface RestRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const maxConnections = 32;
const connectTimeoutMs = 5000;
/** Until the answer begins; a server may have to store 8 MiB before. */
const headersTimeoutMs = 15_000;
/** Between two pieces of an answer. */
const pauseTimeoutMs = 10_000;
const maxRetryAfterMs = 60_000;

/**
 * The connections of a disk to the one server that it talks to. They are bounded in number, and every request in time,
 * however slowly the server drips. Nothing is ever sent anywhere else: a redirect is a failure.
 */
export class RestConnection implements AsyncDisposable {
  readonly #deps: RestConnectionDeps;
  readonly #pool: Pool;

  constructor(deps: RestConnectionDeps) {
    this.#deps = deps;
    this.#pool = new Pool(deps.origin, {
      connections: maxConnections,
      pipelining: 1,
      allowH2: false,
      connectTimeout: Math.min(connectTimeoutMs, deps.timeoutMs),
      headersTimeout: Math.min(headersTimeoutMs, deps.timeoutMs),
      bodyTimeout: Math.min(pauseTimeoutMs, deps.timeoutMs),
      maxHeaderSize: 16_384,
    });
  }

  /**
   * Sends a request for a caller and reads its answer. Throws DISK_UNAVAILABLE, DISK_UNSUPPORTED, DISK_AUTH_REQUIRED, what
   * `read` throws, or what `signal` was aborted with. A change that fails with DISK_UNAVAILABLE may have happened.
   */
  async ask<Result>(
    caller: Caller,
    request: RestRequest,
    signal: AbortSignal,
    read: (answer: RestAnswer) => Promise<Result> | Result,
  ): Promise<Result> {
    signal.throwIfAborted();
    const authorization = authorizationOf(this.#deps.auth, caller, this.#deps.name);
    const options = {
      method: request.method,
      path: request.target,
      headers: {
        ...request.headers,
        // What is bounded is what is read: nothing is decompressed.
        'accept-encoding': 'identity',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: request.body ?? null,
      // A server that sends a body with a HEAD by mistake, which users have written, would else answer with it what is
      // asked next for somebody else: such a connection is not used again.
      reset: request.method === 'HEAD',
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.#deps.timeoutMs)]),
    };
    try {
      const answer = new RestAnswer(this.#deps.name, request.method, await this.#send(options));
      try {
        this.#assertUsable(answer, request.method);
        return await read(answer);
      } finally {
        answer.discard();
      }
    } catch (error) {
      if (error instanceof DomainError) {
        throw error;
      }
      signal.throwIfAborted();
      throw diskUnavailable(this.#deps.name, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  /** A read whose connection the server was just closing is sent once more. A change may have happened, so it is not. */
  async #send(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#pool.request(options);
    } catch (error) {
      const isRead = options.method === 'GET' || options.method === 'HEAD';
      if (!isRead || !isConnectionClosed(error)) {
        throw error;
      }
      return await this.#pool.request(options);
    }
  }

  /** Throws for what means the same whatever was asked. Others, redirects among them, are for whoever has asked. */
  #assertUsable(answer: RestAnswer, method: string): void {
    const { name, auth } = this.#deps;
    const { status } = answer;
    const encoding = answer.header('content-encoding') ?? 'identity';
    if (status === 401 && auth.kind === 'forward_user') {
      throw diskAuthRequired(name);
    }
    if (status === 405 || status === 501) {
      throw diskUnsupported(name, `this: its server does not know ${method} here`);
    }
    if (status === 423 || status === 429 || status >= 500) {
      throw diskUnavailable(name, `${method} was answered by ${status}`, this.#retryAfterMs(answer));
    }
    if (encoding !== 'identity') {
      throw answer.unusable('an encoded body');
    }
  }

  #retryAfterMs(answer: RestAnswer): number | undefined {
    const text = answer.header('retry-after');
    const seconds = countOf(text);
    const ms = seconds === undefined ? Date.parse(text ?? '') - this.#deps.clock.nowMs() : seconds * 1000;
    return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 1000), maxRetryAfterMs);
  }
}

function isConnectionClosed(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}
