import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import {
  databaseUnavailable,
  firstRow,
  insertRows,
  isUniqueViolation,
  type OpenDatabase,
  type SqlExecutor,
} from '@spanwise/persistence';
import { fenced } from '../../domain/event/event-errors.ts';
import { type Run, unfinishedStatuses } from '../../domain/run/run.ts';
import type {
  CancelOutcome,
  Finish,
  RunBeginning,
  RunRepository,
  StartedRun,
  StartRequest,
} from '../../domain/run/run-repository.ts';
import type { Session } from '../../domain/session/session.ts';
import { requestIdReused, sessionBusy, sessionNotFound } from '../../domain/session/session-errors.ts';
import { assertCommittedBefore, insertAppend, markOf } from './append-statements.ts';
import { encodeEnding, runFromRecord } from './record-mapping.ts';
import { RunRecord } from './records.ts';
import * as statements from './run-statements.ts';
import { selectRunByRequest, selectSession } from './selects.ts';

/** Times that a start is tried when others change the session in between. */
const startAttempts = 20;

/** Runs: reads through MikroORM, transactions as guarded statements on prepared SQL; for MySQL and SQLite. */
export class MikroOrmRunRepository implements RunRepository {
  readonly #database: OpenDatabase;

  constructor(database: OpenDatabase) {
    this.#database = database;
  }

  async start(request: StartRequest, begin: (session: Session) => RunBeginning): Promise<StartedRun> {
    for (let attempt = 0; attempt < startAttempts; attempt += 1) {
      const started = await this.#database.sql
        .transaction((tx) => tryStart(tx, request, begin))
        .catch((error) => {
          // The same request was faster on another connection: the next attempt finds its run.
          if (isUniqueViolation(error)) {
            return undefined;
          }
          throw error;
        });
      if (started !== undefined) {
        return started;
      }
    }
    throw databaseUnavailable('the session kept changing');
  }

  async find(sessionId: SessionId, runId: RunId): Promise<Run | undefined> {
    const record = await this.#database.em().findOne(RunRecord, { id: runId, sessionId });
    return record === null ? undefined : runFromRecord(record);
  }

  async list(sessionId: SessionId, before: RunId | undefined, limit: number): Promise<readonly Run[]> {
    const where = { sessionId, ...(before === undefined ? {} : { id: { $lt: before } }) };
    const records = await this.#database.em().find(RunRecord, where, { orderBy: { id: 'desc' }, limit });
    return records.map(runFromRecord);
  }

  async requestCancel(sessionId: SessionId, runId: RunId, reason: string, nowMs: number): Promise<CancelOutcome> {
    const { sql } = this.#database;
    if ((await sql.run(statements.requestCancel, [nowMs, reason, runId, sessionId])) === 1) {
      return 'accepted';
    }
    return (await this.find(sessionId, runId)) === undefined ? 'not-found' : 'already-ended';
  }

  async cancelRequested(ownerId: string): Promise<readonly RunId[]> {
    const rows = await this.#database.sql.all<{ id: string }>(
      "select id from runs where owner_id = ? and status = 'RUNNING' and cancel_requested_at is not null",
      [ownerId],
    );
    return rows.map(({ id }) => brandId<RunId>(id));
  }

  async unfinished(): Promise<readonly Run[]> {
    const records = await this.#database.em().find(RunRecord, { status: { $in: [...unfinishedStatuses] } });
    return records.map(runFromRecord);
  }

  async claim(run: Run, ownerId: string): Promise<StartedRun | undefined> {
    const { id, sessionId, epoch } = run;
    return this.#database.sql.transaction(async (tx) => {
      if ((await tx.run(statements.claimSession, [sessionId, id, epoch])) === 0) {
        return undefined;
      }
      if ((await tx.run(statements.claimRun, [ownerId, id, epoch])) === 0) {
        throw fenced();
      }
      const counters = 'select last_seq, last_ctx_seq from sessions where id = ?';
      const row = await firstRow<{ last_seq: number; last_ctx_seq: number }>(tx, counters, [sessionId]);
      return {
        run: { ...run, ownerId, epoch: epoch + 1, attempt: run.attempt + 1 },
        isNew: false,
        lastSeq: row?.last_seq ?? 0,
        lastContextSeq: row?.last_ctx_seq ?? 0,
      };
    });
  }

  async beginFinishing(runId: RunId, epoch: number): Promise<boolean> {
    return (await this.#database.sql.run(statements.beginFinishing, [runId, epoch])) === 1;
  }

  async finish({ append, ending, terminalSeq, nowMs }: Finish): Promise<void> {
    const { sessionId, runId, epoch, lastSeq } = append.position;
    const counts = [append.events.length, append.contextRows.length];
    await this.#database.sql.transaction(async (tx) => {
      const guard = [...counts, markOf(append), nowMs, sessionId, runId, epoch, lastSeq];
      if ((await tx.run(statements.releaseSession, guard)) === 0) {
        return assertCommittedBefore(tx, append);
      }
      const values = [terminalSeq, encodeEnding(ending), nowMs, runId, epoch];
      if ((await tx.run(statements.endRun(ending.status), values)) === 0) {
        throw fenced();
      }
      return insertAppend(tx, append, nowMs);
    });
  }
}

/** Undefined when the session changed between reading and taking it. */
async function tryStart(
  tx: SqlExecutor,
  { uid, sessionId, requestId, fingerprint }: StartRequest,
  begin: (session: Session) => RunBeginning,
): Promise<StartedRun | undefined> {
  const session = await selectSession(tx, uid, sessionId);
  if (session === undefined) {
    throw sessionNotFound();
  }
  const before = await selectRunByRequest(tx, sessionId, requestId);
  if (before !== undefined) {
    if (before.fingerprint !== fingerprint) {
      throw requestIdReused();
    }
    return { run: before, isNew: false, lastSeq: session.lastSeq, lastContextSeq: session.lastContextSeq };
  }
  if (session.activeRunId !== undefined) {
    throw sessionBusy(session.activeRunId);
  }
  const { run, events, contextRows } = begin(session);
  const { lastSeq, lastContextSeq, epoch } = session;
  const nowMs = run.createdAtMs;
  const guard = [run.id, events.length, contextRows.length, nowMs, sessionId, uid, epoch, lastSeq];
  if ((await tx.run(statements.occupySession, guard)) === 0) {
    return undefined;
  }
  await insertRows(tx, 'runs', statements.runColumns, [statements.runValues(run)]);
  const position = { sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
  await insertAppend(tx, { position, events, contextRows }, nowMs);
  return {
    run,
    isNew: true,
    lastSeq: lastSeq + events.length,
    lastContextSeq: lastContextSeq + contextRows.length,
  };
}
