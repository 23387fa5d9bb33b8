import { firstRow, insertRows, type SqlExecutor } from '@spanwise/persistence';
import { maxQueued, type Run } from '../../domain/run/run.ts';
import type {
  BusyPolicy,
  RunBeginning,
  StartOutcome,
  StartPlan,
  StartRequest,
} from '../../domain/run/run-repository.ts';
import type { Session } from '../../domain/session/session.ts';
import { queueFull, requestIdReused, sessionBusy, sessionNotFound } from '../../domain/session/session-errors.ts';
import { insertAppend } from './append-statements.ts';
import { encodeEnding, encodeInput } from './record-mapping.ts';
import * as statements from './run-statements.ts';
import { selectRunByRequest, selectSession } from './selects.ts';

/** Decides about a request for a run. Undefined when the session changed between reading and taking it. */
export async function tryStart(
  tx: SqlExecutor,
  request: StartRequest,
  plan: StartPlan,
): Promise<StartOutcome | undefined> {
  const { uid, sessionId, requestId, fingerprint, busyPolicy } = request;
  const session = await selectSession(tx, uid, sessionId);
  if (session === undefined) {
    throw sessionNotFound();
  }
  const before = await selectRunByRequest(tx, sessionId, requestId);
  if (before !== undefined) {
    if (before.fingerprint !== fingerprint) {
      throw requestIdReused();
    }
    return { kind: 'found', run: before, lastSeq: session.lastSeq, lastContextSeq: session.lastContextSeq };
  }
  if (session.activeRunId === undefined) {
    return occupy(tx, session, plan.begin(session));
  }
  if (busyPolicy === 'reject') {
    throw sessionBusy(session.activeRunId);
  }
  return enqueue(tx, session, plan, busyPolicy);
}

async function occupy(
  tx: SqlExecutor,
  { id, uid, epoch, lastSeq, lastContextSeq }: Session,
  beginning: RunBeginning,
): Promise<StartOutcome | undefined> {
  const { run, events, contextRows } = beginning;
  const nowMs = run.createdAtMs;
  const guard = [run.id, events.length, contextRows.length, nowMs, id, uid, epoch, lastSeq];
  if ((await tx.run(statements.occupySession, guard)) === 0) {
    return undefined;
  }
  const counters = { lastSeq: lastSeq + events.length, lastContextSeq: lastContextSeq + contextRows.length };
  await insertRows(tx, 'runs', statements.runColumns, [statements.runValues(run, counters.lastContextSeq)]);
  const position = { sessionId: id, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
  await insertAppend(tx, { position, events, contextRows }, nowMs);
  return { kind: 'started', started: { run, uid, ...counters } };
}

/** Guards: interruptsInOneTransaction, rollsBackInOneStatement. */
async function enqueue(
  tx: SqlExecutor,
  session: Session,
  plan: StartPlan,
  busyPolicy: BusyPolicy,
): Promise<StartOutcome | undefined> {
  const { id: sessionId, activeRunId } = session;
  const { run, input } = plan.queue(session);
  const nowMs = run.createdAtMs;
  if (activeRunId === undefined || (await tx.run(statements.lockBusySession, [nowMs, sessionId, activeRunId])) === 0) {
    return undefined;
  }
  let cancelled: Run['id'] | undefined;
  if (busyPolicy !== 'enqueue') {
    const reason = busyPolicy === 'rollback' ? 'rolled back for another run' : 'interrupted by another run';
    const request = busyPolicy === 'rollback' ? statements.requestRollback : statements.requestCancel;
    const isAccepted = (await tx.run(request, [nowMs, reason, activeRunId, sessionId])) === 1;
    cancelled = isAccepted ? activeRunId : undefined;
    await cancelQueue(tx, sessionId, reason, nowMs);
  }
  const last = await firstRow<{ no: number | null; waiting: number }>(
    tx,
    "select max(queue_no) no, count(*) waiting from runs where session_id = ? and status = 'QUEUED'",
    [sessionId],
  );
  if ((last?.waiting ?? 0) >= maxQueued) {
    throw queueFull(maxQueued);
  }
  const queue = { no: (last?.no ?? 0) + 1, input: encodeInput(input) };
  await tx.run(statements.enterQueue, [sessionId]);
  await insertRows(tx, 'runs', statements.runColumns, [statements.runValues(run, 0, queue)]);
  return { kind: 'queued', run, cancelled };
}

/** Cancels all that waits in a session; its row must be locked. */
export async function cancelQueue(tx: SqlExecutor, sessionId: string, reason: string, nowMs: number): Promise<void> {
  await tx.run(statements.dequeueAll, [nowMs, reason, dequeuedEnding, nowMs, sessionId]);
  await tx.run('update sessions set queued = 0 where id = ?', [sessionId]);
}

/** How a run ends that was cancelled before it began. */
export const dequeuedEnding = encodeEnding({ status: 'CANCELLED', finishReason: 5, usage: undefined });
