import { SdkHttpError, UnauthorizedError } from '@modelcontextprotocol/client';
import type { Clock } from '@spanwise/kernel';
import type { CallLog } from '@spanwise/tool-kit/contract';
import { toolSignInNeeded, toolUnavailable } from '../../domain/tool/tool-errors.ts';
import { errorFacts } from './error-facts.ts';
import type { McpConnection } from './mcp-connection.ts';
import { tooManyClients } from './mcp-errors.ts';

/** Times of connections to servers; all in milliseconds. */
export interface ConnectionTimes {
  /** For a server to answer, when a connection is made. */
  readonly connectMs: number;
  /** Until a program counts as one of an older revision that does not answer what it does not know. */
  readonly probeMs: number;
  /** Until the first further attempt; doubled for each that follows. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** After which a connection of one user is closed that is not used. */
  readonly idleMs: number;
  /** How long a call waits for a connection that is being made. */
  readonly waitMs: number;
  /** How often lists of tools are read though nobody says that they have changed. */
  readonly relistMs: number;
}

export const defaultConnectionTimes: ConnectionTimes = {
  connectMs: 20_000,
  probeMs: 3000,
  backoffMs: 500,
  maxBackoffMs: 60_000,
  idleMs: 300_000,
  waitMs: 5000,
  relistMs: 300_000,
};

export interface McpConnectionsDeps {
  readonly server: string;
  readonly times: ConnectionTimes;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: CallLog;
  /** Makes a connection for whom the key stands for; `onClosed` is told when it is lost. */
  readonly open: (key: string, onClosed: () => void, signal: AbortSignal) => Promise<McpConnection>;
  /** Told of each new connection. */
  readonly onOpened: (key: string, connection: McpConnection) => void;
  /** Told of each that is lost, and of each attempt that failed. */
  readonly onAway: (key: string) => void;
}

interface Slot {
  connection: McpConnection | undefined;
  opening: Promise<McpConnection> | undefined;
  failures: number;
  /** Until when no attempt is made. */
  notBeforeMs: number;
  openedMs: number;
  usedMs: number;
  cause: unknown;
}

/** A server that is lost sooner after it was reached is no better than one that can not be. */
const stableMs = 10_000;
/** Users who may have a connection to one server at once. */
const maxConnections = 256;

/** The connections to one server: one for all users, or one for each, by key. */
export class McpConnections implements AsyncDisposable {
  readonly #deps: McpConnectionsDeps;
  readonly #slots = new Map<string, Slot>();
  /** Given up, and not gone yet. */
  readonly #leaving = new Set<McpConnection>();
  readonly #stop = new AbortController();

  constructor(deps: McpConnectionsDeps) {
    this.#deps = deps;
  }

  /**
   * The connection for a key: the one that is there, or a new one. Throws TOOL_UNAVAILABLE when the server is away, at once
   * while it is known to be, and TOO_MANY_CALLS; the reason of `signal`.
   */
  async get(key: string, signal: AbortSignal): Promise<McpConnection> {
    const slot = this.#slotOf(key);
    slot.usedMs = this.#deps.clock.monotonicMs();
    if (slot.connection !== undefined && !slot.connection.isClosed) {
      return slot.connection;
    }
    slot.opening ??= this.#open(key, slot);
    return this.#within(slot.opening, signal);
  }

  /** The connection that there is now; looking at it is not using it. */
  peek(key: string): McpConnection | undefined {
    const { connection } = this.#slots.get(key) ?? {};
    return connection?.isClosed === false ? connection : undefined;
  }

  /** Milliseconds until another attempt is worth it. */
  waitOf(key: string): number {
    const { notBeforeMs = 0 } = this.#slots.get(key) ?? {};
    return Math.max(0, notBeforeMs - this.#deps.clock.monotonicMs());
  }

  /** The keys that have a connection now. */
  openKeys(): readonly string[] {
    return [...this.#slots].flatMap(([key, { connection }]) => (connection?.isClosed === false ? [key] : []));
  }

  /** Closes a connection that is of no use any more; the next call gets another one. */
  drop(connection: McpConnection): void {
    const [key, slot] = [...this.#slots].find(([, each]) => each.connection === connection) ?? [];
    if (key !== undefined && slot !== undefined) {
      slot.connection = undefined;
      this.#deps.onAway(key);
    }
    connection.retire();
    this.#leave(connection);
  }

  /** What is left of it is waited for at the end. */
  #leave(connection: McpConnection): void {
    this.#leaving.add(connection);
    void connection.gone.then(() => this.#leaving.delete(connection));
  }

  /** Closes those that were not used for long, besides the one for all. */
  async closeIdle(): Promise<void> {
    const before = this.#deps.clock.monotonicMs() - this.#deps.times.idleMs;
    await this.#closeAll([...this.#slots].filter(([key, slot]) => key !== '' && slot.usedMs < before && !isBusy(slot)));
  }

  get isBusy(): boolean {
    return [...this.#slots.values()].some(isBusy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(toolUnavailable(this.#deps.server));
    await Promise.allSettled([...this.#slots.values()].flatMap(({ opening }) => opening ?? []));
    await this.#closeAll([...this.#slots]);
    await Promise.all([...this.#leaving].map((connection) => connection.close()));
  }

  async #closeAll(slots: readonly (readonly [string, Slot])[]): Promise<void> {
    await Promise.all(
      slots.map(async ([key, slot]) => {
        const { connection } = slot;
        this.#slots.delete(key);
        slot.connection = undefined;
        await connection?.close();
      }),
    );
  }

  #slotOf(key: string): Slot {
    const found = this.#slots.get(key);
    if (found !== undefined) {
      return found;
    }
    if (this.#slots.size >= maxConnections) {
      this.#giveUpOldest();
    }
    const slot: Slot = {
      ...{
        connection: undefined,
        opening: undefined,
        failures: 0,
        notBeforeMs: 0,
        openedMs: 0,
        usedMs: 0,
        cause: undefined,
      },
    };
    this.#slots.set(key, slot);
    return slot;
  }

  #giveUpOldest(): void {
    const idle = [...this.#slots].filter(([, slot]) => !isBusy(slot)).sort(([, a], [, b]) => a.usedMs - b.usedMs)[0];
    if (idle === undefined) {
      throw tooManyClients(this.#deps.server);
    }
    void this.#closeAll([idle]);
  }

  #open(key: string, slot: Slot): Promise<McpConnection> {
    const { server, times, log, open, onOpened, onAway } = this.#deps;
    if (this.waitOf(key) > 0 || this.#stop.signal.aborted) {
      return Promise.reject(toolUnavailable(server, slot.cause));
    }
    const limit = AbortSignal.timeout(times.connectMs);
    let connection: McpConnection | undefined;
    const lost = () => {
      if (connection !== undefined && slot.connection === connection) {
        slot.connection = undefined;
        if (this.#deps.clock.monotonicMs() - slot.openedMs > stableMs) {
          slot.failures = 0;
        }
        this.#leave(connection);
        void connection.close();
        this.#putOff(slot, 'lost');
        log.warn({ server }, 'mcp connection lost');
        onAway(key);
      }
    };
    return open(key, lost, AbortSignal.any([this.#stop.signal, limit])).then(
      async (opened) => {
        slot.opening = undefined;
        if (this.#stop.signal.aborted || this.#slots.get(key) !== slot) {
          await opened.close();
          throw toolUnavailable(server);
        }
        connection = opened;
        slot.connection = opened;
        slot.openedMs = this.#deps.clock.monotonicMs();
        onOpened(key, opened);
        return opened;
      },
      (error: unknown) => {
        slot.opening = undefined;
        if (key !== '' && isUnauthorized(error)) {
          // Not away: another token may do, at once.
          throw toolSignInNeeded(server, error);
        }
        this.#putOff(slot, error);
        if (!this.#stop.signal.aborted) {
          log.warn({ server, failures: slot.failures, ...errorFacts(error) }, 'mcp connection not made');
          onAway(key);
        }
        throw toolUnavailable(server, error);
      },
    );
  }

  /** Half of the pause is left to chance: replicas do not all come back at once. */
  #putOff(slot: Slot, cause: unknown): void {
    const { times, clock, random } = this.#deps;
    const pauseMs = Math.min(times.maxBackoffMs, times.backoffMs * 2 ** Math.min(slot.failures, 20));
    slot.failures += 1;
    slot.cause = cause;
    slot.notBeforeMs = clock.monotonicMs() + pauseMs * (0.5 + random() / 2);
  }

  async #within(opening: Promise<McpConnection>, signal: AbortSignal): Promise<McpConnection> {
    const { server, times } = this.#deps;
    signal.throwIfAborted();
    const { promise: over, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(toolUnavailable(server)), times.waitMs);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([opening, over]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      opening.catch(() => undefined);
    }
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof UnauthorizedError || (error instanceof SdkHttpError && error.data?.status === 401);
}

function isBusy({ connection, opening }: Slot): boolean {
  return opening !== undefined || connection?.isBusy === true;
}
