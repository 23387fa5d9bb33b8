import type { Clock } from '@spanwise/kernel';
import type { Timers } from './ports/timers.ts';
import { sleep } from './until-aborted.ts';

/** First wait; doubles with each. */
const firstDelayMs = 200;
const maxDelayMs = 2_000;
/** How long tool-host may be away: a replica is replaced in less. */
const patienceMs = 30_000;

/** How long one call bears that tool-host is away. */
export class ToolHostPatience {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #sinceMs: number | undefined;
  #delayMs = firstDelayMs;

  constructor({ clock, timers }: { readonly clock: Clock; readonly timers: Timers }) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Waits before tool-host is tried again. False, at once, when it is away for too long. Throws the signal's reason. */
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

  /** Tool-host answered. */
  reset(): void {
    this.#sinceMs = undefined;
    this.#delayMs = firstDelayMs;
  }
}
