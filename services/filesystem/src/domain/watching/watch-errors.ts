import { DomainError } from '@spanwise/kernel';

/** Paths that wait for one watcher at most. */
export const maxPendingPaths = 10_000;

/** A stream took nothing for too long, or more has changed than is kept for it. The caller lists and watches again. */
export function watcherTooSlow(): DomainError {
  return new DomainError('exhausted', 'WATCHER_TOO_SLOW', 'More has changed than was read: watch again, then list.', {
    facts: { limit: maxPendingPaths },
  });
}
