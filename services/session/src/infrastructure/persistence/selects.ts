import type { SessionId, Uid } from '@spanwise/kernel';
import { firstRow, type SqlExecutor, type SqlRow } from '@spanwise/persistence';
import type { Run } from '../../domain/run/run.ts';
import type { Session } from '../../domain/session/session.ts';
import { runFromRecord, sessionFromRecord } from './record-mapping.ts';
import type { RunRecord, SessionRecord } from './records.ts';

/** Reads without the ORM: inside of transactions, and where they are hot. */

export async function selectSession(tx: SqlExecutor, uid: Uid, id: SessionId): Promise<Session | undefined> {
  const row = await firstRow(tx, 'select * from sessions where id = ? and uid = ? and deleted_at is null', [id, uid]);
  return row === undefined ? undefined : sessionFromRow(row);
}

/** Also a deleted one: its request was answered. */
export async function selectSessionByRequest(
  tx: SqlExecutor,
  uid: Uid,
  requestId: string,
): Promise<Session | undefined> {
  const row = await firstRow(tx, 'select * from sessions where uid = ? and request_id = ?', [uid, requestId]);
  return row === undefined ? undefined : sessionFromRow(row);
}

export async function selectRunByRequest(
  tx: SqlExecutor,
  sessionId: SessionId,
  requestId: string,
): Promise<Run | undefined> {
  const row = await firstRow(tx, 'select * from runs where session_id = ? and request_id = ?', [sessionId, requestId]);
  return row === undefined ? undefined : runFromRow(row);
}

export function runFromRow(row: SqlRow): Run {
  return runFromRecord(camelCased<RunRecord>(row));
}

export function sessionFromRow(row: SqlRow): Session {
  return sessionFromRecord(camelCased<SessionRecord>(row));
}

/** A row as the ORM would give it: its columns are named by the same rule. */
function camelCased<Record>(row: SqlRow): Record {
  const entries = Object.entries(row).map(([column, value]) => [
    column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries) as Record;
}
