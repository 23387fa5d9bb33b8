import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { Http2SessionManager } from '@connectrpc/connect-node';

type Options = ConstructorParameters<typeof Http2SessionManager>[1];
type Request = Parameters<Http2SessionManager['request']>;

/**
 * A ping on a connection that has just died throws out of a timer, and one that is not answered raises an error on a
 * connection that nobody listens to any more: either would end the process.
 */
export class SafeSessionManager extends Http2SessionManager {
  readonly #guarded = new WeakSet<object>();

  override async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Request[3],
  ): Promise<ClientHttp2Stream> {
    const stream = await super.request(method, path, headers, options);
    const { session } = stream;
    if (session !== undefined && !this.#guarded.has(session)) {
      this.#guarded.add(session);
      // Whoever uses the connection hears of its end through the streams.
      session.on('error', () => undefined);
      const ping = session.ping.bind(session) as (...input: unknown[]) => boolean;
      session.ping = (...input: unknown[]) => {
        try {
          return ping(...input);
        } catch {
          session.destroy();
          return false;
        }
      };
    }
    return stream;
  }
}

/** Connections are renewed at most this often: many calls of one connection may be refused at once. */
const renewIntervalMs = 1_000;

/**
 * One connection at a time, and another one once the server has said that it shuts down: a load balancer then leads to
 * another replica, while what goes on over the old connection comes to its end.
 */
export class RenewingSessionManager {
  readonly authority: string;
  readonly #options: Options;
  readonly #baseUrl: string;
  readonly #all = new Set<SafeSessionManager>();
  #current: SafeSessionManager;
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(baseUrl: string, options: Options) {
    this.#baseUrl = baseUrl;
    this.#options = options;
    this.#current = this.#open();
    this.authority = this.#current.authority;
  }

  request(...request: Request): Promise<ClientHttp2Stream> {
    return this.#current.request(...request);
  }

  /** A connection that tells something needs no ping for a while. */
  notifyResponseByteRead(stream: ClientHttp2Stream): void {
    this.#all.forEach((manager) => manager.notifyResponseByteRead(stream));
  }

  /** What is asked from now on goes over another connection. */
  renew(): void {
    const nowMs = performance.now();
    if (nowMs - this.#renewedMs >= renewIntervalMs) {
      this.#renewedMs = nowMs;
      for (const old of this.#all) {
        // One that has nothing open any more is closed already, or closes by itself.
        if (old.state() === 'closed' || old.state() === 'error') {
          this.#all.delete(old);
        }
      }
      this.#current = this.#open();
    }
  }

  /** Breaks off everything. */
  abort(): void {
    this.#all.forEach((manager) => manager.abort());
  }

  #open(): SafeSessionManager {
    const manager = new SafeSessionManager(this.#baseUrl, this.#options);
    this.#all.add(manager);
    return manager;
  }
}
