import { type Clock, DomainError } from '@spanwise/kernel';
import type { Timers } from './ports/timers.ts';
import { sleep } from './until-aborted.ts';

/** First wait; doubles with each. */
const firstDelayMs = 200;
const maxDelayMs = 2_000;
/** How long a service may be away: a replica is replaced in less. */
const patienceMs = 30_000;

/** How long one piece of work bears that another service is away. */
export class Patience {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #sinceMs: number | undefined;
  #delayMs = firstDelayMs;

  constructor({ clock, timers }: { readonly clock: Clock; readonly timers: Timers }) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Waits before the service is tried again. False, at once, when it is away for too long. Throws the signal's reason. */
  async wait(signal: AbortSignal): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs();
    this.#sinceMs ??= nowMs;
    const leftMs = this.#sinceMs + patienceMs - nowMs;
    if (leftMs <= 0) {
      return false;
    }
    await sleep(this.#timers, Math.min(this.#delayMs, leftMs), signal);
    this.#delayMs = Math.min(this.#delayMs * 2, maxDelayMs);
    return true;
  }

  /** The service answered. */
  reset(): void {
    this.#sinceMs = undefined;
    this.#delayMs = firstDelayMs;
  }
}

/** Does what may be done twice again and again while a service is away. Throws what the last try threw. */
export async function patiently<Result>(
  patience: Patience,
  signal: AbortSignal,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isAway = error instanceof DomainError && error.kind === 'unavailable';
      if (!isAway || signal.aborted || !(await patience.wait(signal))) {
        throw error;
      }
    }
  }
}
