import type { RunId } from '@spanwise/kernel';
import type { RunRepository } from '../domain/run/run-repository.ts';

/** Time for a client to come back, here or at another replica, before its run is cancelled. */
const returnMs = 10_000;
/** How often a replica says that it has streams of such runs. */
const attachMs = 3_000;
/** Nobody has said it for this long when the client has not come back: less than `returnMs`, more than `attachMs`. */
const detachedMs = 8_000;

interface Watched {
  streams: number;
  timer: NodeJS.Timeout | undefined;
}

export interface DisconnectsDeps {
  readonly runs: Pick<RunRepository, 'attach' | 'isDetached'>;
  readonly onError: (error: unknown) => void;
}

/** Knows the streams of runs that are to be cancelled when their caller leaves, over all replicas. */
export class Disconnects implements Disposable {
  readonly #deps: DisconnectsDeps;
  readonly #watched = new Map<RunId, Watched>();
  #attaching: NodeJS.Timeout | undefined;

  constructor(deps: DisconnectsDeps) {
    this.#deps = deps;
  }

  /** A stream of such a run was opened. */
  opened(runId: RunId): void {
    const watched = this.#watched.get(runId) ?? { streams: 0, timer: undefined };
    clearTimeout(watched.timer);
    watched.streams += 1;
    watched.timer = undefined;
    this.#watched.set(runId, watched);
    this.#attach([runId]);
    this.#attaching ??= setInterval(() => this.#attachAll(), attachMs).unref();
  }

  /** It was closed; by its client, `cancel` is called unless another one is opened in time, here or elsewhere. */
  closed(runId: RunId, isByClient: boolean, cancel: () => Promise<unknown>): void {
    const watched = this.#watched.get(runId);
    if (watched === undefined) {
      return;
    }
    watched.streams -= 1;
    if (watched.streams > 0) {
      return;
    }
    if (!isByClient) {
      this.#watched.delete(runId);
      return;
    }
    watched.timer = setTimeout(() => {
      this.#watched.delete(runId);
      this.#cancelIfDetached(runId, cancel).catch(this.#deps.onError);
    }, returnMs);
    watched.timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#attaching);
    for (const { timer } of this.#watched.values()) {
      clearTimeout(timer);
    }
    this.#watched.clear();
  }

  async #cancelIfDetached(runId: RunId, cancel: () => Promise<unknown>): Promise<void> {
    if (await this.#deps.runs.isDetached(runId, detachedMs)) {
      await cancel();
    }
  }

  #attachAll(): void {
    const runIds = [...this.#watched].filter(([, { streams }]) => streams > 0).map(([runId]) => runId);
    if (runIds.length > 0) {
      this.#attach(runIds);
    } else if (this.#watched.size === 0) {
      clearInterval(this.#attaching);
      this.#attaching = undefined;
    }
  }

  #attach(runIds: readonly RunId[]): void {
    this.#deps.runs.attach(runIds).catch(this.#deps.onError);
  }
}
