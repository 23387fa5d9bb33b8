import { DomainError } from '@spanwise/kernel';

/** No such session, or it is someone else's, or it was deleted: the three look the same. */
export function sessionNotFound(): DomainError {
  return new DomainError('not-found', 'SESSION_NOT_FOUND', 'No such session.');
}

/** A run is active. The caller waits for it, cancels it, or attaches to it with its request_id. */
export function sessionBusy(runId: string): DomainError {
  return new DomainError('precondition', 'SESSION_BUSY', 'A run is active in this session.', {
    facts: { run_id: runId },
  });
}

/** A request_id was used for a different request. The caller makes a new one. */
export function requestIdReused(): DomainError {
  return new DomainError('exists', 'REQUEST_ID_REUSED', 'This request_id was used for a different request.');
}

/** As many runs wait as may. The caller waits for one to end. */
export function queueFull(limit: number): DomainError {
  return new DomainError('exhausted', 'QUEUE_FULL', `${limit} runs wait in this session already.`, {
    facts: { limit },
  });
}
