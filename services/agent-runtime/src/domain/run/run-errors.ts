import { DomainError } from '@spanwise/kernel';

/** The run was told to stop, or nobody listens to it any more. Ends as aborted, which is no failure. */
export function runCancelled(why: string): DomainError {
  return new DomainError('cancelled', 'REQUEST_CANCELLED', `The run was cancelled: ${why}.`);
}

/** The run used up its time. The caller gives it more, or asks for less. */
export function runDeadlineExceeded(): DomainError {
  return new DomainError('deadline', 'RUN_DEADLINE_EXCEEDED', 'The run used up its time.');
}

/** This replica takes no new runs. The driver asks another one. */
export function shuttingDown(): DomainError {
  return new DomainError('unavailable', 'SHUTTING_DOWN', 'The process is shutting down: another replica serves.');
}

/** Why work stops whose dispatch was left: the run goes on in another one. Never leaves the process; told by identity. */
export const dispatchLeft = new DomainError('cancelled', 'REQUEST_CANCELLED', 'The run goes on in another dispatch.');

/** Whether another dispatch took the run over: nothing that this one says counts any more. */
export function isFenced(error: unknown): boolean {
  return error instanceof DomainError && error.reason === 'FENCED';
}
