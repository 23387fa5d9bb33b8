import { runCancelled, shuttingDown } from '../domain/run/run-errors.ts';
import type { Leave } from './leave.ts';

/** How the work on one dispatch is ended from outside. */
export interface HeldRun {
  /** Aborting it stops everything. */
  readonly stop: AbortController;
  readonly leave: Leave;
}

/** The runs that this process works on. */
export class HeldRuns {
  readonly #runs = new Map<string, Set<HeldRun>>();
  #isClosed = false;
  #idle: PromiseWithResolvers<void> | undefined;

  /**
   * Holds a run until what is returned is disposed. A run may be held twice: its old driver may not know yet that it lost
   * it. Throws SHUTTING_DOWN once this is closed.
   */
  hold(runId: string, run: HeldRun): Disposable {
    if (this.#isClosed) {
      throw shuttingDown();
    }
    const holders = this.#runs.get(runId) ?? new Set();
    this.#runs.set(runId, holders.add(run));
    return {
      [Symbol.dispose]: () => {
        holders.delete(run);
        if (holders.size === 0 && this.#runs.get(runId) === holders) {
          this.#runs.delete(runId);
        }
        if (this.#runs.size === 0) {
          this.#idle?.resolve();
        }
      },
    };
  }

  /** Aborts a run; false when it is not held here. */
  cancel(runId: string): boolean {
    const holders = this.#runs.get(runId);
    holders?.forEach(({ stop }) => stop.abort(runCancelled('a cancel was announced')));
    return holders !== undefined;
  }

  /** Takes no more runs. */
  close(): void {
    this.#isClosed = true;
  }

  /** Asks all runs to leave within `graceMs`, and resolves when none is held any more. */
  leave(graceMs: number): Promise<void> {
    this.#runs.forEach((holders) => holders.forEach(({ leave }) => leave.ask(graceMs)));
    this.#idle ??= Promise.withResolvers();
    if (this.#runs.size === 0) {
      this.#idle.resolve();
    }
    return this.#idle.promise;
  }
}
