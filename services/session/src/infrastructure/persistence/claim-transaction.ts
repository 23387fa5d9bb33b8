import { brandId, type Uid } from '@spanwise/kernel';
import { firstRow, type SqlExecutor, type SqlRow } from '@spanwise/persistence';
import type { InterruptAnswer } from '../../domain/event/agent-event.ts';
import { fenced } from '../../domain/event/event-errors.ts';
import type { Run } from '../../domain/run/run.ts';
import type { Claim, ClaimedRun } from '../../domain/run/run-repository.ts';
import { insertAppend } from './append-statements.ts';
import * as statements from './run-statements.ts';
import { runFromRow } from './selects.ts';

type Counters = {
  readonly uid: string;
  readonly status: string;
  readonly last_seq: number;
  readonly last_ctx_seq: number;
};

type ClaimRow = SqlRow & { readonly progress_seq: number };

/** Thrown to take back a claim of a run that has to go on waiting. */
export class StillWaiting extends Error {}

/** Takes a run; undefined when it is no longer what was read. Throws StillWaiting. */
export async function tryClaim(tx: SqlExecutor, claim: Claim): Promise<ClaimedRun | undefined> {
  const { run: read, ownerId, nowMs } = claim;
  const epoch = read.epoch + 1;
  if ((await tx.run(statements.claimSession, [read.sessionId, read.id, read.epoch])) === 0) {
    return undefined;
  }
  const counters = 'select uid, status, last_seq, last_ctx_seq from sessions where id = ?';
  const session = await firstRow<Counters>(tx, counters, [read.sessionId]);
  const row = await firstRow<ClaimRow>(tx, 'select * from runs where id = ?', [read.id]);
  if (session === undefined || row === undefined) {
    throw fenced();
  }
  const run = runFromRow(row);
  const goesOn = run.status === 'WAITING' && run.cancelRequestedAtMs === undefined;
  const answers = await takeAnswers(tx, run, nowMs);
  const claimed: Run = {
    ...run,
    ...(goesOn ? { status: 'RUNNING', deadlineAtMs: resumedDeadline(run, nowMs) } : {}),
    ownerId,
    epoch,
    attempt: run.attempt + 1,
    lostAttempts: lostAttempts(claim, run, session.last_ctx_seq > row.progress_seq),
    remainingMs: undefined,
    wakeAtMs: undefined,
  };
  const { last_seq: lastSeq, last_ctx_seq: lastContextSeq } = session;
  const started = { run: claimed, uid: brandId<Uid>(session.uid), lastSeq, lastContextSeq };
  const events = claim.announce(started, answers);
  const status = goesOn ? 'RUNNING' : session.status;
  await tx.run(statements.announceClaim, [events.length, nowMs, status, run.sessionId, epoch]);
  const { lostAttempts: lost, deadlineAtMs = null } = claimed;
  const values = [ownerId, lost, lastContextSeq, claimed.status, deadlineAtMs, nowMs, run.id, read.epoch];
  if ((await tx.run(statements.claimRun, values)) === 0) {
    throw fenced();
  }
  const position = { sessionId: run.sessionId, runId: run.id, epoch, lastSeq, lastContextSeq };
  await insertAppend(tx, { position, events, contextRows: [] }, nowMs);
  return { ...started, lastSeq: lastSeq + events.length, events, answers };
}

function resumedDeadline({ deadlineAtMs, remainingMs }: Run, nowMs: number): number | undefined {
  return remainingMs === undefined ? deadlineAtMs : nowMs + remainingMs;
}

/** An attempt that has added to the context has got somewhere, even if it was lost. */
function lostAttempts({ wasLost }: Claim, run: Run, hasProgress: boolean): number {
  if (hasProgress) {
    return 0;
  }
  return wasLost ? run.lostAttempts + 1 : run.lostAttempts;
}

type AnswerRow = {
  readonly id: string;
  readonly call_id: string;
  readonly answer: string | null;
  readonly answered_by: string | null;
};

/** What was answered and not told yet. A waiting run whose time has come takes what nobody answered as expired. */
async function takeAnswers(tx: SqlExecutor, run: Run, nowMs: number): Promise<readonly InterruptAnswer[]> {
  if (run.status === 'WAITING') {
    const expire = `update interrupts set answered_at = ?
      where run_id = ? and answered_at is null and expires_at <= ?`;
    await tx.run(expire, [nowMs, run.id, nowMs]);
    const isDue = run.wakeAtMs !== undefined && run.wakeAtMs <= nowMs;
    const open = 'select id from interrupts where run_id = ? and answered_at is null limit 1';
    if (!isDue && run.cancelRequestedAtMs === undefined && (await firstRow(tx, open, [run.id])) !== undefined) {
      throw new StillWaiting();
    }
  }
  const untold = 'run_id = ? and answered_at is not null and announced_at is null';
  const rows = await tx.all<AnswerRow>(
    `select id, call_id, answer, answered_by from interrupts where ${untold} order by id`,
    [run.id],
  );
  if (rows.length > 0) {
    await tx.run(`update interrupts set announced_at = ? where ${untold}`, [nowMs, run.id]);
  }
  return rows.map((row) => ({
    interruptId: row.id,
    callId: row.call_id,
    answerJson: row.answer ?? '',
    expired: row.answer === null,
    answeredBy: row.answered_by ?? '',
  }));
}
