import type { Clock } from '@spanwise/kernel';

/** Work that goes on longer than this lets others have the event loop. */
const sliceMs = 5;

/** Keeps long work from holding up other calls, and ends it when nobody waits for it any more. */
export class Pacer {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #signal: AbortSignal;
  #sliceStartMs: number;

  constructor(clock: Pick<Clock, 'monotonicMs'>, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#sliceStartMs = clock.monotonicMs();
  }

  /** True when it is time for {@link pause}; cheap enough to ask for every line. */
  isDue(): boolean {
    return this.#clock.monotonicMs() - this.#sliceStartMs >= sliceMs;
  }

  /** Lets others go on if it is time. Throws what the signal was aborted with. */
  async pause(): Promise<void> {
    this.#signal.throwIfAborted();
    if (this.isDue()) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#signal.throwIfAborted();
      this.#sliceStartMs = this.#clock.monotonicMs();
    }
  }
}
