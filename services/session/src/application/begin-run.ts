import type { Clock } from '@spanwise/kernel';
import type { ContextRow } from '../domain/context/llm-context.ts';
import { eventTime, role, type UnplacedEvent } from '../domain/event/agent-event.ts';
import type { Run } from '../domain/run/run.ts';
import type { RunBeginning } from '../domain/run/run-repository.ts';
import type { Session } from '../domain/session/session.ts';
import { AppendBatch } from './append-batch.ts';
import { rootSpanStart } from './root-span.ts';

/** How a run begins in a session: RUN_START, its root span, and its input. */
export function beginRun(
  clock: Clock,
  session: Session,
  made: Run,
  rows: readonly ContextRow[],
  ownerId: string | undefined,
): RunBeginning {
  const { lastSeq, lastContextSeq } = session;
  const epoch = session.epoch + 1;
  const { timeoutMs } = made.options;
  const run: Run = {
    ...made,
    status: 'RUNNING',
    ownerId,
    epoch,
    attempt: 1,
    startSeq: lastSeq + 1,
    deadlineAtMs: timeoutMs === undefined ? undefined : clock.nowMs() + timeoutMs,
  };
  const batch = new AppendBatch({ sessionId: session.id, runId: run.id, epoch, lastSeq, lastContextSeq }, clock);
  rows.forEach((row) => batch.addRow(row));
  firstEvents(clock, run, rows).forEach((event) => batch.addDurable(event));
  return { run, events: batch.durable, contextRows: rows };
}

function firstEvents(clock: Clock, run: Run, rows: readonly ContextRow[]): readonly UnplacedEvent[] {
  const nowMs = clock.nowMs();
  const at = { span: run.span.span, time: eventTime(nowMs) };
  const inputMessageIds = rows.map(({ messageId }) => messageId);
  const { agent } = run.options;
  return [
    { ...at, data: { case: 'runStart', value: { agent, attempt: 1, inputMessageIds, traceId: run.span.traceId } } },
    rootSpanStart(run, nowMs),
    ...inputMessageIds.map((messageId): UnplacedEvent => {
      return { ...at, data: { case: 'message', value: { messageId, role: role.user, contextSeq: 0n } } };
    }),
  ];
}
