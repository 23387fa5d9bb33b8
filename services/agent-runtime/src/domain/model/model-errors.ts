import { DomainError } from '@spanwise/kernel';

/** The model's service could not be reached, failed or said nothing for too long. It may work later. */
export function modelUnavailable(why: string, retryAfterMs?: number, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'MODEL_UNAVAILABLE', `The model's service failed: ${why}.`, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause,
  });
}

/** The model's service limits the rate. The caller waits. */
export function modelRateLimited(retryAfterMs?: number, cause?: unknown): DomainError {
  return new DomainError(
    'exhausted',
    'MODEL_RATE_LIMITED',
    "The model's service limits the rate: wait and try again.",
    {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause,
    },
  );
}

/** The model's service refused the request: wrong model, credentials, too large. The operator reads why. */
export function modelRejected(why: string, cause?: unknown): DomainError {
  return new DomainError('precondition', 'MODEL_REJECTED', `The model's service refused the request: ${why}`, {
    cause,
  });
}

/** The model's stream ended, stalled or broke before it said why it stopped. */
export function streamIncomplete(why: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'STREAM_INCOMPLETE', `The model's answer is incomplete: ${why}.`, { cause });
}

const passing = new Set(['MODEL_UNAVAILABLE', 'MODEL_RATE_LIMITED', 'STREAM_INCOMPLETE']);

/** Whether asking the model again may help. */
export function mayPass(error: unknown): error is DomainError {
  return error instanceof DomainError && passing.has(error.reason);
}
