import { DomainError } from '@spanwise/kernel';

/** The run of the view is over. The caller opens another view. */
export function viewClosed(): DomainError {
  return new DomainError(
    'precondition',
    'VIEW_CLOSED',
    'The run of this view is over: nothing is changed in it any more. Open another view.',
  );
}

/** A client wants to publish or drop what a run still writes. The caller cancels the run first. */
export function layerInUse(): DomainError {
  return new DomainError(
    'precondition',
    'LAYER_IN_USE',
    'The run is not over: only its driver publishes or drops what it has changed. Cancel it first.',
  );
}

/** One change would touch more paths than one may. The caller does it in parts. */
export function tooManyChanges(limit: number): DomainError {
  return new DomainError('exhausted', 'TOO_MANY_CHANGES', `More than ${limit} paths at once: do it in parts.`, {
    facts: { limit },
  });
}

/** A limit is reached. The caller deletes something, or ends what is open. */
export function quotaExceeded(limit: string, max: number): DomainError {
  return new DomainError('exhausted', 'QUOTA_EXCEEDED', `The limit ${limit} of ${max} is reached.`, {
    facts: { limit, max },
  });
}
