import type { DomainError } from '@spanwise/kernel';
import { APIConnectionError, APIError } from 'openai';
import { modelRejected, modelUnavailable } from '../../../domain/model/model-errors.ts';
import { retryAfter, statusError } from '../wire/http-errors.ts';

/** What became of a request that was not answered with a stream. */
export function requestError(error: unknown): DomainError {
  if (error instanceof APIConnectionError || !(error instanceof APIError)) {
    return modelUnavailable('it could not be reached', undefined, error);
  }
  // A quota that is used up does not come back in seconds.
  if (error.status === 429 && error.code === 'insufficient_quota') {
    return modelRejected('the quota is used up.', error);
  }
  const headers = error.headers as Headers | undefined;
  const retryAfterMs = headers === undefined ? undefined : retryAfter((name) => headers.get(name));
  return statusError({ status: error.status, message: error.message, retryAfterMs, cause: error });
}
