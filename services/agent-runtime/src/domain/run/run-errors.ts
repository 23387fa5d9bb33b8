import { DomainError } from '@spanwise/kernel';

/** The run was told to stop, or nobody listens to it any more. Ends as aborted, which is no failure. */
export function runCancelled(why: string): DomainError {
  return new DomainError('cancelled', 'REQUEST_CANCELLED', `The run was cancelled: ${why}.`);
}

/** The run used up its time. The caller gives it more, or asks for less. */
export function runDeadlineExceeded(): DomainError {
  return new DomainError('deadline', 'RUN_DEADLINE_EXCEEDED', 'The run used up its time.');
}
