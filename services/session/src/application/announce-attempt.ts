import type { Clock } from '@spanwise/kernel';
import { eventTime } from '../domain/event/agent-event.ts';
import type { Claim } from '../domain/run/run-repository.ts';
import { AppendBatch } from './append-batch.ts';

/** What a claim tells: the answers that the run has waited for, and RUN_ATTEMPT. */
export function announceAttempt(clock: Clock, reason: number): Claim['announce'] {
  return ({ run, lastSeq, lastContextSeq }, answers) => {
    const { sessionId, id: runId, epoch, attempt, span } = run;
    const batch = new AppendBatch({ sessionId, runId, epoch, lastSeq, lastContextSeq }, clock);
    const at = { span: span.span, time: eventTime(clock.nowMs()) };
    for (const answer of answers) {
      batch.addDurable({ ...at, data: { case: 'interruptAnswered', value: { answer } } });
    }
    batch.addDurable({ ...at, data: { case: 'runAttempt', value: { attempt, reason } } });
    return batch.durable;
  };
}
