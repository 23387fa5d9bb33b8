import type { RunId } from '@spanwise/kernel';

/** Time for a client to come back before its run is cancelled. */
const returnMs = 10_000;

interface Watched {
  streams: number;
  timer: NodeJS.Timeout | undefined;
}

/** Counts the streams of runs that are to be cancelled when their caller leaves. */
export class Disconnects implements Disposable {
  readonly #watched = new Map<RunId, Watched>();

  /** A stream of such a run was opened. */
  opened(runId: RunId): void {
    const watched = this.#watched.get(runId) ?? { streams: 0, timer: undefined };
    clearTimeout(watched.timer);
    watched.streams += 1;
    watched.timer = undefined;
    this.#watched.set(runId, watched);
  }

  /** It was closed; by its client, `cancel` is called unless another one is opened in time. */
  closed(runId: RunId, isByClient: boolean, cancel: () => void): void {
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
      cancel();
    }, returnMs);
    watched.timer.unref();
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#watched.values()) {
      clearTimeout(timer);
    }
    this.#watched.clear();
  }
}
