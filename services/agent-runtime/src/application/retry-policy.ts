import type { Clock } from '@spanwise/kernel';
import { mayPass } from '../domain/model/model-errors.ts';

/** How often, and how patiently, a failed model call is repeated. */
export interface RetryLimits {
  /** Retries of a call that failed before it said anything. */
  readonly maxRetries: number;
  /** Times that an answer is thrown away and asked for again after part of it was shown. */
  readonly maxRestarts: number;
  /** Wait before the first retry; doubles with each, with up to as much jitter on top. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

export const retryLimits: RetryLimits = { maxRetries: 3, maxRestarts: 2, baseDelayMs: 500, maxDelayMs: 8_000 };

export interface RetryPolicyDeps {
  readonly limits: RetryLimits;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** Milliseconds since 1970: no wait goes beyond it. */
  readonly deadlineMs: number;
}

/** Decides about repeating the model call of one turn; the only place where a model call is repeated. */
export class RetryPolicy {
  readonly #deps: RetryPolicyDeps;
  #retries = 0;
  #restarts = 0;

  constructor(deps: RetryPolicyDeps) {
    this.#deps = deps;
  }

  /** Milliseconds to wait before asking again, at least what the service asked for; undefined = do not ask again. */
  delayAfter(error: unknown, hasShown: boolean): number | undefined {
    if (!mayPass(error) || !this.#isLeft(hasShown)) {
      return undefined;
    }
    const { limits, clock, random, deadlineMs } = this.#deps;
    const backoffMs = Math.min(limits.maxDelayMs, limits.baseDelayMs * 2 ** (this.#retries + this.#restarts - 1));
    const delayMs = Math.max(error.retryAfterMs ?? 0, backoffMs * (1 + random()));
    return clock.nowMs() + delayMs < deadlineMs ? delayMs : undefined;
  }

  #isLeft(hasShown: boolean): boolean {
    const { maxRetries, maxRestarts } = this.#deps.limits;
    if (hasShown) {
      this.#restarts += 1;
      return this.#restarts <= maxRestarts;
    }
    this.#retries += 1;
    return this.#retries <= maxRetries;
  }
}
