import type { Clock, DomainError } from '@spanwise/kernel';
import { runtimeUnavailable } from '../domain/run/run-errors.ts';
import { Backoff } from './backoff.ts';
import type { AgentRuntime } from './ports/agent-runtime.ts';

/** How long a run waits for an executor when it has no deadline of its own. */
const hopelessMs = 15 * 60_000;

/** Looks for another executor after one was lost, so that a run is not dispatched into nothing. */
export class ExecutorSearch {
  readonly #clock: Clock;
  readonly #backoff = new Backoff();
  #lostAtMs: number | undefined;
  #isNeeded = false;
  /** Why the last one was lost. */
  error: DomainError = runtimeUnavailable('no executor was found');

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isHopeless(): boolean {
    return this.#lostAtMs !== undefined && this.#clock.monotonicMs() - this.#lostAtMs > hopelessMs;
  }

  /** An executor was lost; `wasReached`: after it had said something. */
  lost(error: DomainError, wasReached: boolean): void {
    this.error = error;
    this.#isNeeded = true;
    if (wasReached) {
      this.#backoff.reset();
      this.#lostAtMs = this.#clock.monotonicMs();
    }
    this.#lostAtMs ??= this.#clock.monotonicMs();
  }

  /** An executor did what it was asked to. */
  found(): void {
    this.#isNeeded = false;
    this.#lostAtMs = undefined;
    this.#backoff.reset();
  }

  /** Resolves true when there is an executor, and false when the signal is aborted or the search goes on for too long. */
  async find(runtime: AgentRuntime, signal: AbortSignal): Promise<boolean> {
    while (this.#isNeeded && !signal.aborted && !this.isHopeless) {
      if (await runtime.isReady(signal)) {
        this.#isNeeded = false;
      }
      await this.#backoff.wait(signal);
    }
    return !this.#isNeeded && !signal.aborted;
  }
}
