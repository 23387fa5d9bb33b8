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
