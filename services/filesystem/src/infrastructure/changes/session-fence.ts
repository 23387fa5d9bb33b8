import { type Database, firstRow, insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';

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

/** Raises the fence of a session unless it is as high; waits for transactions that hold it. */
export async function raiseFence(database: Database, sessionId: string, epoch: number): Promise<void> {
  const raise = () =>
    database.run('update fs_fences set epoch = ? where session_id = ? and epoch < ?', [epoch, sessionId, epoch]);
  if ((await raise()) === 0 && !(await insertFence(database, sessionId, epoch))) {
    // It has a row, which may have come in between and be lower.
    await raise();
  }
}

async function insertFence(sql: SqlExecutor, sessionId: string, epoch: number): Promise<boolean> {
  try {
    await insertRows(sql, 'fs_fences', ['session_id', 'epoch'], [[sessionId, epoch]]);
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) {
      return false;
    }
    throw error;
  }
}
