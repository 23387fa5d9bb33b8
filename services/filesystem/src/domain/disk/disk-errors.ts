import { DomainError } from '@spanwise/kernel';

/**
 * A disk does not answer, is full, or is not configured on this replica. The operator looks at `cause` in the log.
 * `retryAfterMs` is when it may answer again, if it has told.
 */
export function diskUnavailable(disk: string, cause?: unknown, retryAfterMs: number = 1000): DomainError {
  return new DomainError('unavailable', 'DISK_UNAVAILABLE', `The disk ${disk} could not be reached: try again.`, {
    facts: { disk },
    retryAfterMs,
    cause,
  });
}

/** The disk can not honour a guard or an operation. The caller does without it. */
export function diskUnsupported(disk: string, what: string): DomainError {
  return new DomainError('unsupported', 'DISK_UNSUPPORTED', `The disk ${disk} does not support ${what}.`, {
    facts: { disk },
  });
}

/** A disk wants the user's own token, and got none or one that it does not take. The caller signs in again. */
export function diskAuthRequired(disk: string): DomainError {
  return new DomainError('unauthenticated', 'DISK_AUTH_REQUIRED', `The disk ${disk} wants a valid token of the user.`, {
    facts: { disk },
  });
}

/** Whether a disk did not answer. */
export function isDiskUnavailable(error: unknown): boolean {
  return error instanceof DomainError && error.reason === 'DISK_UNAVAILABLE';
}
