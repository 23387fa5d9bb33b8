import type { DomainError } from '@spanwise/kernel';
import { modelRateLimited, modelRejected, modelUnavailable } from '../../../domain/model/model-errors.ts';

/** Characters of a provider's own words that are passed on. */
const maxMessageLength = 500;

/** An answer that is no stream. */
export interface FailedResponse {
  /** Undefined: there was none. */
  readonly status: number | undefined;
  /** The provider's own words. */
  readonly message: string;
  /** From {@link retryAfter}. */
  readonly retryAfterMs: number | undefined;
  /** Stays in logs. */
  readonly cause: unknown;
}

/** What a status means: a limit, a failure that may pass, or a refusal. */
export function statusError({ status, message, retryAfterMs, cause }: FailedResponse): DomainError {
  if (status === 429) {
    return modelRateLimited(retryAfterMs, cause);
  }
  if (status === undefined || status === 408 || status === 409 || status >= 500) {
    return modelUnavailable(`it answered ${status ?? 'without a status'}`, retryAfterMs, cause);
  }
  // The words of these two may quote a part of the key.
  if (status === 401 || status === 403) {
    return modelRejected(`it does not take the credentials (${status}).`, cause);
  }
  return modelRejected(shortened(message), cause);
}

/** A provider's own words, of which only so many are passed on. */
export function shortened(message: string): string {
  return message.slice(0, maxMessageLength);
}

/** Milliseconds of `retry-after-ms`, or of `retry-after` in seconds or as a date. */
export function retryAfter(header: (name: string) => string | null | undefined): number | undefined {
  const ms = header('retry-after-ms') ?? undefined;
  const seconds = header('retry-after') ?? undefined;
  if (ms === undefined && seconds === undefined) {
    return undefined;
  }
  const delayMs = ms === undefined ? Number(seconds) * 1000 : Number(ms);
  const untilMs = Number.isNaN(delayMs) ? Date.parse(seconds ?? '') - Date.now() : delayMs;
  return untilMs >= 0 ? Math.ceil(untilMs) : undefined;
}
