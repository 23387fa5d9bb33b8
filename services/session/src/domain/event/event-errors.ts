import { DomainError } from '@spanwise/kernel';

/** Another process has taken the run over, or ended it: whoever gets this stops at once and says nothing more. */
export function fenced(): DomainError {
  return new DomainError('aborted', 'FENCED', 'Another replica took the run over: watch again.');
}

/** A watcher asked for events beyond the log or before what is kept. The caller watches from a seq in the range. */
export function cursorOutOfRange(afterSeq: number, firstSeq: number, lastSeq: number): DomainError {
  return new DomainError(
    'out-of-range',
    'CURSOR_OUT_OF_RANGE',
    `The log has events ${firstSeq} to ${lastSeq}: ask for events after ${firstSeq - 1} to ${lastSeq}, not ${afterSeq}.`,
    { facts: { first_seq: firstSeq, last_seq: lastSeq } },
  );
}

/** A stream took nothing for too long. The caller reads on from `lastSeq`, and faster. */
export function watcherTooSlow(lastSeq: number): DomainError {
  return new DomainError('exhausted', 'WATCHER_TOO_SLOW', 'The stream was not read: watch again from last_seq.', {
    facts: { last_seq: lastSeq },
  });
}

/** As many streams watch a session as may. The caller closes one. */
export function tooManyWatchers(limit: number): DomainError {
  return new DomainError('exhausted', 'TOO_MANY_WATCHERS', `A session has at most ${limit} streams.`, {
    facts: { limit },
  });
}
