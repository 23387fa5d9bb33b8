import { type Clock, DomainError } from '@spanwise/kernel';
import { dispatchLeft, runCancelled, runDeadlineExceeded } from '../domain/run/run-errors.ts';
import type { Leave } from './leave.ts';
import type { Timers } from './ports/timers.ts';

/** setTimeout takes no more; a run has at most 24 hours anyway. */
const maxDelayMs = 2 ** 31 - 1;

export interface RunSignalDeps {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** How whoever wants a dispatch to be worked on ends that. */
export interface RunControl {
  /** Aborted when the run is to be stopped. */
  readonly signal: AbortSignal;
  readonly leave: Leave;
}

/**
 * When the work on a dispatch has to end. It is stopped when its caller says so, when the driver says so in an ack, when
 * another dispatch took over or when its time is up; the reason says which. Or it is left, when it was asked to leave and
 * the time for that is over. What comes first counts.
 */
export class RunSignal implements Disposable {
  readonly #stopped = new AbortController();
  readonly #halted = new AbortController();
  readonly #control: RunControl;
  readonly #cancelTimer: () => void;

  /** `deadlineMs` counts from 1970. */
  constructor(control: RunControl, deadlineMs: number, { clock, timers }: RunSignalDeps) {
    this.#control = control;
    const { signal, leave } = control;
    const delayMs = Math.min(Math.max(0, deadlineMs - clock.nowMs()), maxDelayMs);
    this.#cancelTimer = timers.after(delayMs, () => this.#stop(runDeadlineExceeded()));
    signal.addEventListener('abort', this.#follow, { once: true });
    leave.due.addEventListener('abort', this.#leave, { once: true });
    if (signal.aborted) {
      this.#follow();
    }
    if (leave.due.aborted) {
      this.#leave();
    }
  }

  /** Aborted when all that goes on has to stop, in tools as well. Never once the dispatch was left. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Aborted when nothing more is waited for: stopped, or left with tools that go on by themselves. */
  get halt(): AbortSignal {
    return this.#halted.signal;
  }

  /** True from when it was asked to leave: no further turn is begun. */
  get isLeaving(): boolean {
    return this.#control.leave.isAsked;
  }

  /** True when it was left: nothing more is said. */
  get isLeft(): boolean {
    return this.halt.reason === dispatchLeft;
  }

  /** The driver wants the run cancelled. */
  cancel(): void {
    this.#stop(runCancelled('the driver asked for it'));
  }

  /** Another dispatch took the run over, as the error says. */
  fence(error: unknown): void {
    this.#stop(error);
  }

  [Symbol.dispose](): void {
    const { signal, leave } = this.#control;
    this.#cancelTimer();
    signal.removeEventListener('abort', this.#follow);
    leave.due.removeEventListener('abort', this.#leave);
  }

  readonly #follow = () => {
    const { reason } = this.#control.signal as { readonly reason: unknown };
    this.#stop(reason instanceof DomainError ? reason : runCancelled('nobody waits for it'));
  };

  readonly #leave = () => this.#halted.abort(dispatchLeft);

  #stop(reason: unknown): void {
    if (!this.isLeft) {
      this.#stopped.abort(reason);
      this.#halted.abort(reason);
    }
  }
}
