import { type Database, firstRow, insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import { type Change, deletedFence } from '../../domain/change/change.ts';
import { fenced } from '../../domain/change/change-errors.ts';
import { viewNotFound } from '../../domain/view/view-errors.ts';

/** What ends a SELECT so that its rows stay as they are until the transaction ends. SQLite has one writer anyway. */
export function shareLock(dialect: Database['dialect']): string {
  return dialect === 'mysql' ? ' lock in share mode' : '';
}

/**
 * Reads the fence of a session, with what else `read` selects, and holds it until the transaction ends: whoever raises it
 * waits. A fence that was never raised gets its row, because what is not there can not be held.
 */
export async function holdFence<Row>(
  tx: SqlExecutor,
  sessionId: string,
  read: () => Promise<Row | undefined>,
): Promise<Row> {
  for (;;) {
    const row = await read();
    if (row !== undefined) {
      return row;
    }
    await insertFence(tx, sessionId, 0);
  }
}

/** The fence of a session, held until the transaction ends. */
export async function heldFence(tx: SqlExecutor, dialect: Database['dialect'], sessionId: string): Promise<number> {
  const sql = `select epoch from fs_fences where session_id = ?${shareLock(dialect)}`;
  const { epoch } = await holdFence(tx, sessionId, () => firstRow<{ epoch: number }>(tx, sql, [sessionId]));
  return epoch;
}

/**
 * Holds the fence of a session until the transaction ends, for who ends a run: unlike what the run does, that is allowed
 * after its own dispatch was stopped. Throws FENCED after a later dispatch has fenced, VIEW_NOT_FOUND after the session's
 * data was deleted.
 */
export async function holdDriver(
  tx: SqlExecutor,
  dialect: Database['dialect'],
  { sessionId, epoch = 0 }: Change,
): Promise<void> {
  const sql = `select epoch, driver from fs_fences where session_id = ?${shareLock(dialect)}`;
  const read = () => firstRow<{ epoch: number; driver: number }>(tx, sql, [sessionId]);
  const fence = await holdFence(tx, sessionId, read);
  if (fence.epoch === deletedFence) {
    throw viewNotFound();
  }
  if (epoch > 0 && epoch < fence.driver) {
    throw fenced();
  }
}

/** Raises the fence of a session unless it is as high, and its driver's epoch; waits for transactions that hold it. */
export async function raiseFence(database: Database, sessionId: string, epoch: number, driver: number): Promise<void> {
  const raise = async () => {
    const sql = `update fs_fences set epoch = case when epoch < ? then ? else epoch end,
      driver = case when driver < ? then ? else driver end where session_id = ? and (epoch < ? or driver < ?)`;
    return database.run(sql, [epoch, epoch, driver, driver, sessionId, epoch, driver]);
  };
  if ((await raise()) === 0 && !(await insertFence(database, sessionId, epoch, driver))) {
    // It has a row, which may have come in between and be lower.
    await raise();
  }
}

async function insertFence(sql: SqlExecutor, sessionId: string, epoch: number, driver = 0): Promise<boolean> {
  try {
    await insertRows(sql, 'fs_fences', ['session_id', 'epoch', 'driver'], [[sessionId, epoch, driver]]);
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) {
      return false;
    }
    throw error;
  }
}
