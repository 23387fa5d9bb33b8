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

/** This process is shutting down and begins nothing. The caller asks another replica. */
export function shuttingDown(): DomainError {
  return new DomainError('unavailable', 'SHUTTING_DOWN', 'The server is shutting down: try again.');
}

/** The run lost its executor again and again without getting anywhere. The caller changes the input. */
export function runPoisoned(attempts: number): DomainError {
  return new DomainError('internal', 'RUN_POISONED', `The run was given up after ${attempts} attempts.`);
}

/** The run used up its time, and its executor did not say so. The caller gives it more, or asks for less. */
export function runDeadlineExceeded(): DomainError {
  return new DomainError('deadline', 'RUN_DEADLINE_EXCEEDED', 'The run used up its time.');
}

/**
 * Somebody else has changed files that the run has changed too, so that nothing was published. The owner of the files
 * decides what to do with those of the run, which are kept for 24 hours.
 */
export function publishConflict(count: number): DomainError {
  const message = `Others have changed ${count} of the files that the run has changed: its changes are kept for a day.`;
  return new DomainError('aborted', 'PUBLISH_CONFLICT', message, { facts: { count } });
}

/** The filesystem service could not be reached to end the run. What the run has changed is kept there, not published. */
export function filesystemUnavailable(cause: unknown): DomainError {
  const message = 'The files of the run could not be published: the filesystem service can not be reached.';
  return new DomainError('unavailable', 'SERVICE_UNAVAILABLE', message, { cause });
}

/** No such interrupt in a run of the caller, or its run is over. */
export function interruptNotFound(): DomainError {
  return new DomainError('not-found', 'INTERRUPT_NOT_FOUND', 'No such interrupt, or its run is over.');
}

/** The interrupt has another answer, or expired. */
export function interruptAnswered(): DomainError {
  return new DomainError('exists', 'INTERRUPT_ANSWERED', 'The interrupt has another answer already, or expired.');
}

/** An answer to a run that waits for its user to sign in says neither yes nor no. The caller says one of the two. */
export function signInAnswerInvalid(): DomainError {
  return invalidField(
    'answer_json',
    'must be {"signed_in": true} or {"signed_in": false}: the user is asked to sign in',
  );
}

/** An approval that is neither a clear yes nor a clear no. The caller corrects it. */
export function approvalAnswerInvalid(description: string): DomainError {
  return invalidField('answer_json', `${description}: the user is asked to approve a call`);
}

/** An answer says that the user has signed in, and brings no token. The caller sends the token with the answer. */
export function signInTokenMissing(): DomainError {
  const where = 'as `authorization: Bearer …` or `token`, with this request';
  return invalidField('token', `must be sent ${where}; or answer {"signed_in": false} to go on without it`);
}

function invalidField(field: string, description: string): DomainError {
  const violations = [{ field, description }];
  return new DomainError('invalid', 'INVALID_FIELD', `Invalid request: ${field} ${description}`, { violations });
}
