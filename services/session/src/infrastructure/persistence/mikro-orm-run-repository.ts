import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { databaseUnavailable, firstRow, isUniqueViolation, type OpenDatabase } from '@spanwise/persistence';
import { cancellableStatuses, drivenStatuses, type Run, type RunEnding } from '../../domain/run/run.ts';
import {
  type AbandonedLook,
  type CancelOutcome,
  type Claim,
  type ClaimedRun,
  type Finish,
  type OwnedRun,
  type RunRepository,
  rollbackRequested,
  type StartOutcome,
  type StartPlan,
  type StartRequest,
  type Wait,
} from '../../domain/run/run-repository.ts';
import { assertCommittedBefore, insertAppend, markOf, type StoreOptions } from './append-statements.ts';
import { StillWaiting, tryClaim } from './claim-transaction.ts';
import { databaseNow } from './database-now.ts';
import { finishRun, RollbackRequested } from './finish-transaction.ts';
import { encodeEnding, runFromRecord } from './record-mapping.ts';
import { RunRecord } from './records.ts';
import * as statements from './run-statements.ts';
import { runFromRow } from './selects.ts';
import { dequeuedEnding, tryStart } from './start-transaction.ts';

/** Times that a start is tried when others change the session in between. */
const startAttempts = 20;

/** Thrown to take a transaction back whose guard did not hold. */
class Refused extends Error {}

/** Runs: reads through MikroORM, transactions as guarded statements on prepared SQL; for MySQL and SQLite. */
export class MikroOrmRunRepository implements RunRepository {
  readonly #database: OpenDatabase;
  readonly #options: StoreOptions;

  constructor(database: OpenDatabase, options: StoreOptions = {}) {
    this.#database = database;
    this.#options = options;
  }

  async start(request: StartRequest, plan: StartPlan): Promise<StartOutcome> {
    for (let attempt = 0; attempt < startAttempts; attempt += 1) {
      const outcome = await this.#database.sql
        .transaction((tx) => tryStart(tx, request, plan))
        .catch((error) => {
          // The same request was faster on another connection: the next attempt finds its run.
          if (isUniqueViolation(error)) {
            return undefined;
          }
          throw error;
        });
      if (outcome !== undefined) {
        return outcome;
      }
    }
    throw databaseUnavailable('the session kept changing');
  }

  async find(sessionId: SessionId, runId: RunId): Promise<Run | undefined> {
    const { sql } = this.#database;
    const row = await firstRow(sql, 'select * from runs where id = ? and session_id = ?', [runId, sessionId]);
    return row === undefined ? undefined : runFromRow(row);
  }

  async list(sessionId: SessionId, before: RunId | undefined, limit: number): Promise<readonly Run[]> {
    const where = { sessionId, ...(before === undefined ? {} : { id: { $lt: before } }) };
    const order = { orderBy: { id: 'desc' }, limit } as const;
    const records = await this.#database.orm((em) => em.find(RunRecord, where, order));
    return records.map(runFromRecord);
  }

  async requestCancel(sessionId: SessionId, runId: RunId, reason: string, nowMs: number): Promise<CancelOutcome> {
    // A cancel does not wait behind what it is to stop.
    const { urgent } = this.#database;
    if ((await urgent.run(statements.requestCancel, [nowMs, reason, runId, sessionId])) === 1) {
      return 'accepted';
    }
    const run = await this.find(sessionId, runId);
    if (run?.status === 'QUEUED') {
      // It may have begun meanwhile: then it is asked again.
      const isOut = await this.#dequeue(sessionId, runId, reason, nowMs);
      return isOut ? 'dequeued' : this.requestCancel(sessionId, runId, reason, nowMs);
    }
    if (run !== undefined && cancellableStatuses.includes(run.status)) {
      // It has left the queue since the first statement.
      return this.requestCancel(sessionId, runId, reason, nowMs);
    }
    return run === undefined ? 'not-found' : 'already-ended';
  }

  async attach(runIds: readonly RunId[]): Promise<void> {
    const { sql } = this.#database;
    const marks = runIds.map(() => '?').join(', ');
    await sql.run(`update runs set attached_at = ${databaseNow(sql)} where id in (${marks})`, runIds);
  }

  async isDetached(runId: RunId, sinceMs: number): Promise<boolean> {
    const { sql } = this.#database;
    const detached = `select 1 from runs where id = ? and attached_at <= ${databaseNow(sql)} - ?`;
    return (await sql.all(detached, [runId, sinceMs])).length === 1;
  }

  #dequeue(sessionId: SessionId, runId: RunId, reason: string, nowMs: number): Promise<boolean> {
    return this.#unlessRefused(async (tx) => {
      await tx.run(statements.leaveQueue, [sessionId]);
      if ((await tx.run(statements.dequeueRun, [nowMs, reason, dequeuedEnding, nowMs, runId, sessionId])) === 0) {
        throw new Refused();
      }
    });
  }

  async ownedBy(ownerId: string): Promise<readonly OwnedRun[]> {
    type Row = { readonly id: string; readonly epoch: number; readonly cancel_requested_at: number | null };
    const rows = await this.#database.urgent.all<Row>(statements.ownedRuns, [ownerId]);
    return rows.map(({ id, epoch, cancel_requested_at }) => ({
      runId: brandId<RunId>(id),
      epoch,
      isCancelRequested: cancel_requested_at !== null,
    }));
  }

  async abandoned(look: AbandonedLook): Promise<readonly Run[]> {
    const { nowMs, cancelMs, frozenCancelMs, staleLeaseMs, limit } = look;
    const { sql } = this.#database;
    const [overdueMs, frozenMs] = [nowMs - cancelMs, nowMs - frozenCancelMs];
    const driven = drivenStatuses.map((status) => `'${status}'`).join(', ');
    const noLease = (leftMs: string) =>
      `not exists (select 1 from instances i where i.id = r.owner_id and i.lease_until > ${databaseNow(sql)} + ${leftMs})`;
    const rows = await sql.all(
      `select r.* from runs r where (r.status in (${driven}) and (r.owner_id is null or ${noLease('0')}
          or (r.cancel_requested_at <= ? and r.claimed_at <= ?)
          or (r.cancel_requested_at <= ? and r.claimed_at <= ? and ${noLease('?')})))
        or (r.status = 'WAITING' and (r.owner_id is null or ${noLease('0')}) and (r.wake_at <= ? or r.cancel_requested_at is not null or not exists
          (select 1 from interrupts a where a.run_id = r.id and a.answered_at is null)))
        limit ${limit}`,
      [overdueMs, overdueMs, frozenMs, frozenMs, staleLeaseMs, nowMs],
    );
    return rows.map(runFromRow);
  }

  claim(claim: Claim): Promise<ClaimedRun | undefined> {
    return this.#database.sql
      .transaction((tx) => tryClaim(tx, claim))
      .catch((error) => {
        if (error instanceof StillWaiting) {
          return undefined;
        }
        throw error;
      });
  }

  async release(runId: RunId, epoch: number, ownerId: string): Promise<boolean> {
    return (await this.#database.sql.run(statements.releaseRun, [runId, epoch, ownerId])) === 1;
  }

  wait({ append, nowMs }: Wait): Promise<boolean> {
    const { sessionId, runId, epoch, lastSeq } = append.position;
    return this.#unlessRefused(async (tx) => {
      const guard = [append.events.length, markOf(append), nowMs, sessionId, runId, epoch, lastSeq];
      if ((await tx.run(statements.waitSession, guard)) === 0) {
        return assertCommittedBefore(tx, append, this.#options);
      }
      if ((await tx.run(statements.waitRun, [nowMs, runId, runId, epoch, runId])) === 0) {
        throw new Refused();
      }
      return insertAppend(tx, append, nowMs);
    });
  }

  async beginFinishing(runId: RunId, epoch: number, ending: RunEnding): Promise<boolean> {
    const sql =
      this.#options.without?.has('finishingUnlessCancelRequested') === true
        ? statements.beginFinishing.replace('and cancel_requested_at is null', '')
        : statements.beginFinishing;
    return (await this.#database.sql.run(sql, [encodeEnding(ending), runId, epoch])) === 1;
  }

  finish(finish: Finish): ReturnType<RunRepository['finish']> {
    return this.#database.sql
      .transaction((tx) => finishRun(tx, finish, this.#options))
      .catch((error) => {
        if (error instanceof RollbackRequested) {
          return rollbackRequested;
        }
        throw error;
      });
  }

  async #unlessRefused(work: Parameters<OpenDatabase['sql']['transaction']>[0]): Promise<boolean> {
    try {
      await this.#database.sql.transaction(work);
      return true;
    } catch (error) {
      if (error instanceof Refused) {
        return false;
      }
      throw error;
    }
  }
}
