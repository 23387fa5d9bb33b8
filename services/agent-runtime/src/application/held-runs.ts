import { runCancelled } from '../domain/run/run-errors.ts';

/** The runs that this process works on. */
export class HeldRuns {
  readonly #runs = new Map<string, Set<AbortController>>();

  /** Holds a run until what is returned is disposed. A run may be held twice: its old driver may not know yet that it lost it. */
  hold(runId: string, stop: AbortController): Disposable {
    const holders = this.#runs.get(runId) ?? new Set();
    this.#runs.set(runId, holders.add(stop));
    return {
      [Symbol.dispose]: () => {
        holders.delete(stop);
        if (holders.size === 0 && this.#runs.get(runId) === holders) {
          this.#runs.delete(runId);
        }
      },
    };
  }

  /** Aborts a run; false when it is not held here. */
  cancel(runId: string): boolean {
    const holders = this.#runs.get(runId);
    holders?.forEach((stop) => stop.abort(runCancelled('a cancel was announced')));
    return holders !== undefined;
  }
}
