import { DomainError } from '@spanwise/kernel';

/** No such run in a session of the caller. */
export function runNotFound(): DomainError {
  return new DomainError('not-found', 'RUN_NOT_FOUND', 'No such run.');
}

/** A request for the active run of a session that has none. */
export function noActiveRun(): DomainError {
  return new DomainError('precondition', 'NO_ACTIVE_RUN', 'The session has no active run.');
}

/** The executor was lost or could not be reached. The caller sends the message again. */
export function runtimeUnavailable(cause: unknown): DomainError {
  return new DomainError('unavailable', 'RUNTIME_UNAVAILABLE', 'The agent runtime was lost: send the message again.', {
    cause,
  });
}

/** The process that drives a run is shutting down. The caller sends the message again, to another replica. */
export function shuttingDown(): DomainError {
  return new DomainError('unavailable', 'SHUTTING_DOWN', 'The server is shutting down: send the message again.');
}
