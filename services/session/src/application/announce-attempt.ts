import type { Clock } from '@spanwise/kernel';
import { eventTime } from '../domain/event/agent-event.ts';
import type { RunGuard } from '../domain/run/guards.ts';
import type { Claim } from '../domain/run/run-repository.ts';
import { AppendBatch } from './append-batch.ts';

/**
 * What a claim tells: the answers that the run has waited for, and RUN_ATTEMPT. `without`: only for tests that show what a
 * guard is for.
 */
export function announceAttempt(clock: Clock, reason: number, without?: ReadonlySet<RunGuard>): Claim['announce'] {
  return ({ run, lastSeq, lastContextSeq }, answers) => {
    const { sessionId, id: runId, epoch, attempt, span } = run;
    const batch = new AppendBatch({ sessionId, runId, epoch, lastSeq, lastContextSeq }, clock);
    const at = { span: span.span, time: eventTime(clock.nowMs()) };
    for (const answer of answers) {
      batch.addDurable({ ...at, data: { case: 'interruptAnswered', value: { answer } } });
    }
    if (without?.has('announcesAttempt') !== true) {
      batch.addDurable({ ...at, data: { case: 'runAttempt', value: { attempt, reason } } });
    }
    return batch.durable;
  };
}
