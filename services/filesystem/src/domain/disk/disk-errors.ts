import { DomainError } from '@spanwise/kernel';

/** A disk does not answer, is full, or is not configured on this replica. The operator looks at `cause` in the log. */
export function diskUnavailable(disk: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'DISK_UNAVAILABLE', `The disk ${disk} could not be reached: try again.`, {
    facts: { disk },
    retryAfterMs: 1000,
    cause,
  });
}

/** The disk can not honour a guard or an operation. The caller does without it. */
export function diskUnsupported(disk: string, what: string): DomainError {
  return new DomainError('unsupported', 'DISK_UNSUPPORTED', `The disk ${disk} does not support ${what}.`, {
    facts: { disk },
  });
}
