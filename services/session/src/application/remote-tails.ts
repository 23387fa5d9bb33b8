import { DomainError, type SessionId } from '@spanwise/kernel';
import type { Instance } from '../domain/instance/instance-repository.ts';
import type { Peers } from './ports/peers.ts';
import type { Publisher, SessionHub } from './session-hub.ts';

/** How long a replica that could not be reached is left alone, for each session. */
const unreachableMs = 5_000;

export interface RemoteTailsDeps {
  readonly hub: SessionHub;
  readonly peers: Peers;
  /** Id of this process; another one after its lease was lost. */
  readonly ownId: () => string;
  /** Told of tails that broke; watchers read the log meanwhile. */
  readonly onError: (error: unknown) => void;
}

interface Tail {
  readonly ownerId: string;
  readonly abort: AbortController;
  /** Undefined until the driver has told its position. */
  publisher: Publisher | undefined;
  /** Set while nothing is asked of a replica that could not be reached. */
  rest: NodeJS.Timeout | undefined;
}

/**
 * Brings what the drivers on other replicas show to the watchers here: one stream for each session. Without one, and when
 * one breaks, the watchers read the log, so nothing is lost but the single deltas.
 */
export class RemoteTails implements AsyncDisposable {
  readonly #deps: RemoteTailsDeps;
  readonly #tails = new Map<SessionId, Tail>();
  readonly #running = new Set<Promise<void>>();
  #isDisposed = false;

  constructor(deps: RemoteTailsDeps) {
    this.#deps = deps;
  }

  /** Whether what the driver of a session shows comes in. */
  isOpen(sessionId: SessionId): boolean {
    return this.#tails.get(sessionId)?.publisher !== undefined;
  }

  /** Tails the driver of a session that is watched here. `owner` is who drives it now; undefined = nobody. */
  follow(sessionId: SessionId, owner: Instance | undefined): void {
    const isElsewhere = owner !== undefined && owner.address !== '' && owner.id !== this.#deps.ownId();
    if (this.#isDisposed || (isElsewhere && this.#tails.get(sessionId)?.ownerId === owner.id)) {
      return;
    }
    // Whoever took the run over comes after the one before: what that one still shows is void.
    this.#end(sessionId);
    if (isElsewhere) {
      const tail: Tail = { ownerId: owner.id, abort: new AbortController(), publisher: undefined, rest: undefined };
      this.#tails.set(sessionId, tail);
      const running = this.#run(sessionId, owner.address, tail).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  /** Ends the tails of all other sessions. */
  keepOnly(sessionIds: readonly SessionId[]): void {
    const kept = new Set(sessionIds);
    for (const sessionId of this.#tails.keys()) {
      if (!kept.has(sessionId)) {
        this.#end(sessionId);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.keepOnly([]);
    await Promise.all(this.#running);
  }

  #end(sessionId: SessionId): void {
    const tail = this.#tails.get(sessionId);
    if (tail !== undefined) {
      this.#tails.delete(sessionId);
      clearTimeout(tail.rest);
      tail.publisher?.close();
      tail.abort.abort();
    }
  }

  /** Never rejects. */
  async #run(sessionId: SessionId, address: string, tail: Tail): Promise<void> {
    const isCurrent = () => this.#tails.get(sessionId) === tail;
    const failure = await this.#read(sessionId, address, tail).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    tail.publisher?.close();
    // Whoever consumes a stream ends it.
    tail.abort.abort();
    if (!isCurrent()) {
      return;
    }
    const wasReached = tail.publisher !== undefined;
    tail.publisher = undefined;
    const isOver = failure === undefined || isNotDriven(failure.error);
    if (isOver || wasReached) {
      this.#tails.delete(sessionId);
    } else {
      tail.rest = setTimeout(() => this.#tails.delete(sessionId), unreachableMs);
      tail.rest.unref();
    }
    if (!isOver) {
      this.#deps.onError(failure.error);
    }
  }

  async #read(sessionId: SessionId, address: string, tail: Tail): Promise<void> {
    const { hub, peers } = this.#deps;
    for await (const step of peers.tail(address, sessionId, tail.abort.signal)) {
      if (tail.abort.signal.aborted) {
        return;
      }
      if (step.kind === 'entries') {
        tail.publisher?.publish(step.entries);
      } else {
        tail.publisher = hub.openRemote(sessionId, step);
        if (tail.publisher === undefined) {
          // It is driven here by now.
          return;
        }
      }
    }
  }
}

/** The driver has let go of it since the database was asked. */
function isNotDriven(error: unknown): boolean {
  return error instanceof DomainError && error.reason === 'NO_ACTIVE_RUN';
}
