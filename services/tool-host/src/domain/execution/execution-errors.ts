import { DomainError } from '@spanwise/kernel';

/** The session is shut against the dispatch that asks: whoever gets this stops at once. Nothing was begun for it. */
export function fenced(): DomainError {
  return new DomainError('aborted', 'FENCED', 'Another replica took the run over, or it was stopped.');
}

/** The call was executed with another tool or other arguments. A bug of the caller. */
export function callReused(callId: string): DomainError {
  return new DomainError('exists', 'CALL_REUSED', 'The call was executed with another tool or other arguments.', {
    facts: { call_id: callId },
  });
}

/** The call waits for another interrupt than the one that was answered. A bug of the caller. */
export function interruptMismatch(interruptId: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', 'The call waits for another interrupt.', {
    facts: { interrupt_id: interruptId },
    violations: [{ field: 'answer.interrupt_id', description: 'is not what the call waits for' }],
  });
}

/** An epoch can not be told from its neighbours, or leaves no room for a fence above it. A bug of the caller. */
export function epochOutOfRange(): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', 'The epoch is not a safe integer.', {
    violations: [{ field: 'epoch', description: 'must be a safe integer' }],
  });
}

/**
 * This process has lost its lease: others judge what it executes, so it stops that and begins nothing until it has a new
 * one. The caller tries again.
 */
export function leaseLost(): DomainError {
  return new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'The lease of this process was lost: try again.', {
    retryAfterMs: 1000,
  });
}

/** This process is shutting down: it begins nothing, and what did not end in time is stopped. The caller asks another. */
export function shuttingDown(): DomainError {
  return new DomainError('unavailable', 'SHUTTING_DOWN', 'The server is shutting down: try again.');
}
