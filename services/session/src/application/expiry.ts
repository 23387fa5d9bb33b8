import type { Run } from '../domain/run/run.ts';
import { stopMs } from './run-attempt.ts';

/** Timers take no more; a run has at most 24 hours. */
const maxDelayMs = 2 ** 31 - 1;

/** Aborts once a run is over its time and its executor has not said so. */
export class Expiry implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor({ deadlineAtMs }: Pick<Run, 'deadlineAtMs'>, nowMs: number) {
    if (deadlineAtMs !== undefined) {
      const delayMs = Math.min(Math.max(0, deadlineAtMs + stopMs - nowMs), maxDelayMs);
      this.#timer = setTimeout(() => this.#controller.abort(), delayMs);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
