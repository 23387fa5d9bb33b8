import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { firstRow, insertRows, isUniqueViolation, type OpenDatabase, type SqlExecutor } from '@spanwise/persistence';
import { cancellableStatuses } from '../../domain/run/run.ts';
import type { Session } from '../../domain/session/session.ts';
import type {
  DeleteResult,
  SessionChange,
  SessionCursor,
  SessionRepository,
} from '../../domain/session/session-repository.ts';
import { encodePolicy, sessionFromRecord } from './record-mapping.ts';
import { SessionRecord } from './records.ts';
import { selectSession, selectSessionByRequest } from './selects.ts';
import { sessionColumns, sessionValues } from './session-values.ts';
import { cancelQueue } from './start-transaction.ts';

/** Sessions on MikroORM, and prepared SQL where it is hot; for MySQL and SQLite. */
export class MikroOrmSessionRepository implements SessionRepository {
  readonly #database: OpenDatabase;

  constructor(database: OpenDatabase) {
    this.#database = database;
  }

  async create(session: Session): Promise<Session> {
    const { sql } = this.#database;
    try {
      await insertRows(sql, 'sessions', sessionColumns, [sessionValues(session)]);
      return session;
    } catch (error) {
      const made = isUniqueViolation(error)
        ? await selectSessionByRequest(sql, session.uid, session.requestId)
        : undefined;
      if (made === undefined) {
        throw error;
      }
      return made;
    }
  }

  /** Every request about a session begins with it, so it goes without the ORM. */
  find(uid: Uid, id: SessionId): Promise<Session | undefined> {
    return selectSession(this.#database.sql, uid, id);
  }

  async list(uid: Uid, after: SessionCursor | undefined, limit: number): Promise<readonly Session[]> {
    const older =
      after === undefined
        ? {}
        : { $or: [{ createdAt: { $lt: after.createdAtMs } }, { createdAt: after.createdAtMs, id: { $lt: after.id } }] };
    const records = await this.#database.orm((em) =>
      em.find(
        SessionRecord,
        { uid, deletedAt: null, ...(after === undefined ? {} : { createdAt: { $lte: after.createdAtMs } }), ...older },
        { orderBy: { createdAt: 'desc', id: 'desc' }, limit },
      ),
    );
    return records.map(sessionFromRecord);
  }

  async update(uid: Uid, id: SessionId, change: SessionChange, nowMs: number): Promise<Session | undefined> {
    const { title, toolPolicy } = change;
    const changed = {
      ...(title === undefined ? {} : { title }),
      ...(toolPolicy === undefined ? {} : { toolPolicy: encodePolicy(toolPolicy) }),
    };
    await this.#database.orm((em) =>
      em.nativeUpdate(SessionRecord, { id, uid, deletedAt: null }, { ...changed, updatedAt: nowMs }),
    );
    return this.find(uid, id);
  }

  async delete(uid: Uid, id: SessionId, cancelsActiveRun: boolean, nowMs: number): Promise<DeleteResult> {
    let result: DeleteResult | undefined;
    // A run may end between two statements, and the next one start.
    while (result === undefined) {
      result = await this.#database.sql.transaction((tx) => tryDelete(tx, uid, id, cancelsActiveRun, nowMs));
    }
    return result;
  }
}

/** Undefined when the session changed between reading and deleting it. Guards: deletesInOneTransaction. */
async function tryDelete(
  tx: SqlExecutor,
  uid: Uid,
  id: SessionId,
  cancelsActiveRun: boolean,
  nowMs: number,
): Promise<DeleteResult | undefined> {
  const idle = `update sessions set deleted_at = ?, updated_at = ?
    where id = ? and uid = ? and deleted_at is null and status = 'IDLE'`;
  if ((await tx.run(idle, [nowMs, nowMs, id, uid])) === 1) {
    return { kind: 'deleted', cancelledRunId: undefined };
  }
  const row = await firstRow<{ active_run_id: string | null }>(
    tx,
    'select active_run_id from sessions where id = ? and uid = ? and deleted_at is null',
    [id, uid],
  );
  if (row === undefined) {
    return { kind: 'not-found' };
  }
  if (row.active_run_id === null) {
    return undefined;
  }
  const activeRunId = brandId<RunId>(row.active_run_id);
  if (!cancelsActiveRun) {
    return { kind: 'busy', activeRunId };
  }
  const busy = `update sessions set deleted_at = ?, updated_at = ?
    where id = ? and active_run_id = ? and deleted_at is null`;
  if ((await tx.run(busy, [nowMs, nowMs, id, activeRunId])) === 0) {
    return undefined;
  }
  const flag = `update runs set cancel_requested_at = coalesce(cancel_requested_at, ?), cancel_reason = coalesce(cancel_reason, ?)
    where id = ? and status in (${cancellableStatuses.map((status) => `'${status}'`).join(', ')})`;
  const reason = 'the session was deleted';
  await tx.run(flag, [nowMs, reason, activeRunId]);
  await cancelQueue(tx, id, reason, nowMs);
  return { kind: 'deleted', cancelledRunId: activeRunId };
}
