import { DomainError } from '@spanwise/kernel';

/** The session is shut against the dispatch that asked: whoever gets this stops at once and changes nothing more. */
export function fenced(): DomainError {
  return new DomainError('aborted', 'FENCED', 'Another replica took the run over, or it was stopped.');
}

/** The key belongs to another request of the view. A bug of the caller, which makes a new key for each request. */
export function idempotencyKeyReused(): DomainError {
  return new DomainError('exists', 'IDEMPOTENCY_KEY_REUSED', 'The idempotency_key was used for another request.');
}

/** A change that began before the fence did not end in time. The caller fences again. */
export function changesGoOn(): DomainError {
  return new DomainError('unavailable', 'DISK_UNAVAILABLE', 'A change of the session is still going on: try again.', {
    retryAfterMs: 1000,
  });
}
