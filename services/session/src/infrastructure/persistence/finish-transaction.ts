import { invariantBroken } from '@spanwise/kernel';
import { firstRow, type SqlExecutor } from '@spanwise/persistence';
import { fenced } from '../../domain/event/event-errors.ts';
import type { Finish, StartedRun } from '../../domain/run/run-repository.ts';
import { assertCommittedBefore, insertAppend, markOf, type StoreOptions } from './append-statements.ts';
import { decodeInput, encodeEnding } from './record-mapping.ts';
import * as statements from './run-statements.ts';
import { runFromRow, sessionFromRow } from './selects.ts';

/** Thrown to take back the end of a run that was asked to be rolled back meanwhile. */
export class RollbackRequested extends Error {}

/** Ends a run, and begins the next one of the queue, if there is one. Throws RollbackRequested. */
export async function finishRun(
  tx: SqlExecutor,
  finish: Finish,
  options: StoreOptions,
): Promise<StartedRun | undefined> {
  const { append, ending, terminalSeq, nowMs, rollsBack } = finish;
  const { sessionId, runId, epoch, lastSeq } = append.position;
  const counts = [append.events.length, append.contextRows.length];
  const guard = [...counts, markOf(append), nowMs, sessionId, runId, epoch, lastSeq];
  const isLast = (await tx.run(statements.releaseSession, guard)) === 1;
  if (!isLast && (await tx.run(statements.appendLast, guard)) === 0) {
    await assertCommittedBefore(tx, append, options);
    // What began with it then has an owner: whoever it was given to takes it, or it is taken from there.
    return undefined;
  }
  const values = [terminalSeq, encodeEnding(ending), nowMs, runId, epoch];
  if ((await tx.run(statements.endRun(ending.status, rollsBack), values)) === 0) {
    const marked = 'select 1 from runs where id = ? and epoch = ? and rolls_back = 1';
    throw !rollsBack && (await firstRow(tx, marked, [runId, epoch])) !== undefined ? new RollbackRequested() : fenced();
  }
  await insertAppend(tx, append, nowMs);
  if (rollsBack) {
    await tx.run(statements.supersedeContext, [terminalSeq, sessionId, runId]);
  }
  return isLast ? undefined : beginNext(tx, finish);
}

async function beginNext(tx: SqlExecutor, { append, nextOwnerId, nowMs, ...finish }: Finish): Promise<StartedRun> {
  const { sessionId } = append.position;
  const sessionRow = await firstRow(tx, 'select * from sessions where id = ?', [sessionId]);
  const row = await firstRow(tx, statements.nextQueued, [sessionId]);
  if (sessionRow === undefined || row === undefined) {
    throw invariantBroken('a queue that is not empty has no run');
  }
  const session = sessionFromRow(sessionRow);
  const { lastSeq, lastContextSeq } = session;
  const queued = { run: runFromRow(row), input: decodeInput(String(row.input)) };
  const { run, events, contextRows } = finish.beginNext(queued, session);
  const counters = { lastSeq: lastSeq + events.length, lastContextSeq: lastContextSeq + contextRows.length };
  await tx.run(statements.passSession, [run.id, events.length, contextRows.length, sessionId]);
  const { epoch, startSeq, deadlineAtMs = null } = run;
  const values = [nextOwnerId ?? null, epoch, startSeq, deadlineAtMs, counters.lastContextSeq, nowMs, run.id];
  if ((await tx.run(statements.promoteRun, values)) === 0) {
    throw invariantBroken('a run left the queue while its session was locked');
  }
  const position = { sessionId, runId: run.id, epoch, lastSeq, lastContextSeq };
  await insertAppend(tx, { position, events, contextRows }, nowMs);
  return { run: { ...run, ownerId: nextOwnerId }, uid: session.uid, ...counters };
}
