import type { DomainError } from '@spanwise/kernel';
import { APIConnectionError, APIError } from 'openai';
import { modelRateLimited, modelRejected, modelUnavailable } from '../../../domain/model/model-errors.ts';

/** Characters of a provider's own words that are passed on. */
const maxMessageLength = 500;

/** What became of a request that was not answered with a stream. */
export function requestError(error: unknown): DomainError {
  if (error instanceof APIConnectionError || !(error instanceof APIError)) {
    return modelUnavailable('it could not be reached', undefined, error);
  }
  const { status, headers, code } = error;
  const retryAfterMs = headers === undefined ? undefined : retryAfter(headers as Headers);
  if (status === 429) {
    // A quota that is used up does not come back in seconds.
    return code === 'insufficient_quota'
      ? modelRejected('the quota is used up.', error)
      : modelRateLimited(retryAfterMs, error);
  }
  if (status === undefined || status === 408 || status === 409 || status >= 500) {
    return modelUnavailable(`it answered ${status ?? 'without a status'}`, retryAfterMs, error);
  }
  // The words of these two may quote a part of the key.
  if (status === 401 || status === 403) {
    return modelRejected(`it does not take the credentials (${status}).`, error);
  }
  return modelRejected(error.message.slice(0, maxMessageLength), error);
}

/** An error that a server put into its stream. */
export function streamedError(payload: unknown): DomainError {
  const { type, code, message } = payload as {
    readonly type?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
  };
  const kind = `${String(type)} ${String(code)}`;
  if (/rate_limit|\b429\b/.test(kind)) {
    return modelRateLimited(undefined, payload);
  }
  const text = (typeof message === 'string' ? message : 'it sent an error').slice(0, maxMessageLength);
  return /invalid_request|\b400\b/.test(kind)
    ? modelRejected(text, payload)
    : modelUnavailable(text.replace(/\.$/, ''), undefined, payload);
}

/** Milliseconds of `retry-after-ms`, or of `retry-after` in seconds or as a date. */
function retryAfter(headers: Headers): number | undefined {
  const ms = headers.get('retry-after-ms');
  const seconds = headers.get('retry-after');
  if (ms === null && seconds === null) {
    return undefined;
  }
  const delayMs = ms === null ? Number(seconds) * 1000 : Number(ms);
  const untilMs = Number.isNaN(delayMs) ? Date.parse(seconds ?? '') - Date.now() : delayMs;
  return untilMs >= 0 ? Math.ceil(untilMs) : undefined;
}
