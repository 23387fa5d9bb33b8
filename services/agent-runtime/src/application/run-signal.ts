import { type Clock, DomainError } from '@spanwise/kernel';
import { runCancelled, runDeadlineExceeded } from '../domain/run/run-errors.ts';
import type { Timers } from './ports/timers.ts';

/** setTimeout takes no more; a run has at most 24 hours anyway. */
const maxDelayMs = 2 ** 31 - 1;

export interface RunSignalDeps {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** When a run has to stop: its caller says so, the driver says so in an ack, or its time is up. The reason says which. */
export class RunSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #cancelTimer: () => void;

  /** `deadlineMs` counts from 1970. */
  constructor(caller: AbortSignal, deadlineMs: number, { clock, timers }: RunSignalDeps) {
    this.#caller = caller;
    const delayMs = Math.min(Math.max(0, deadlineMs - clock.nowMs()), maxDelayMs);
    this.#cancelTimer = timers.after(delayMs, () => this.#controller.abort(runDeadlineExceeded()));
    caller.addEventListener('abort', this.#follow, { once: true });
    if (caller.aborted) {
      this.#follow();
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The driver wants the run cancelled. */
  cancel(): void {
    this.#controller.abort(runCancelled('the driver asked for it'));
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#caller.removeEventListener('abort', this.#follow);
  }

  readonly #follow = () => {
    const { reason } = this.#caller as { readonly reason: unknown };
    this.#controller.abort(reason instanceof DomainError ? reason : runCancelled('nobody waits for it'));
  };
}
