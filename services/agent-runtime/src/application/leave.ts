import type { Timers } from './ports/timers.ts';

/** setTimeout takes no more. */
const maxGraceMs = 2 ** 31 - 1;

/** Asks a dispatch to let go of its run in good order: to finish its turn if that is done in time, and go no further. */
export class Leave implements Disposable {
  readonly #timers: Timers;
  readonly #due = new AbortController();
  readonly #cancels: (() => void)[] = [];
  #isAsked = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** True from the first time that it was asked for. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Aborted when the time is over: whatever goes on is left as it is. */
  get due(): AbortSignal {
    return this.#due.signal;
  }

  /** `graceMs` for the turn that goes on; 0 = none. Asked again, the earlier end counts. */
  ask(graceMs: number): void {
    this.#isAsked = true;
    if (graceMs <= 0) {
      this.#due.abort();
    } else {
      this.#cancels.push(this.#timers.after(Math.min(graceMs, maxGraceMs), () => this.#due.abort()));
    }
  }

  [Symbol.dispose](): void {
    this.#cancels.forEach((cancel) => cancel());
  }
}
