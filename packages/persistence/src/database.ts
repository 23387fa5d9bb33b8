/** A value that goes into or comes out of a column. 64-bit integers must be safe ones. */
export type SqlValue = string | number | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** Runs prepared statements with `?` parameters, in SQL that both MySQL and SQLite understand. */
export interface SqlExecutor {
  /** Runs a statement and answers how many rows it matched; what guards look at. */
  run(sql: string, parameters: readonly SqlValue[]): Promise<number>;
  all<Row extends SqlRow>(sql: string, parameters: readonly SqlValue[]): Promise<Row[]>;
}

/**
 * The statements of the hot path: prepared once, without entities. Throws DATABASE_UNAVAILABLE when the database can not
 * be reached or does not answer in time; whether a transaction was committed is then not known.
 */
export interface Database extends SqlExecutor {
  readonly dialect: 'mysql' | 'sqlite';
  /**
   * Runs `work` in one transaction (READ COMMITTED or stricter). A deadlock or a lock that is not had in time starts
   * `work` again, so it must have no effect outside of the database. When `work` throws, nothing of it remains.
   */
  transaction<Result>(work: (tx: SqlExecutor) => Promise<Result>): Promise<Result>;
}

/** The first row of an answer. */
export async function firstRow<Row extends SqlRow>(
  executor: SqlExecutor,
  sql: string,
  parameters: readonly SqlValue[],
): Promise<Row | undefined> {
  return (await executor.all<Row>(sql, parameters))[0];
}

/** Rows in one INSERT at most; with powers of two, few statements have to be prepared. */
const maxRowsPerInsert = 64;

/** Inserts rows with few round trips. Each row has its values in the order of `columns`. */
export async function insertRows(
  executor: SqlExecutor,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  let done = 0;
  while (done < rows.length) {
    const count = Math.min(2 ** Math.floor(Math.log2(rows.length - done)), maxRowsPerInsert);
    await executor.run(insertStatement(table, columns, count), rows.slice(done, done + count).flat());
    done += count;
  }
}

const insertStatements = new Map<string, string>();

function insertStatement(table: string, columns: readonly string[], count: number): string {
  const key = `${table} ${count} ${columns.length}`;
  let statement = insertStatements.get(key);
  if (statement === undefined) {
    const row = `(${columns.map(() => '?').join(', ')})`;
    statement = `insert into ${table} (${columns.join(', ')}) values ${Array.from({ length: count }, () => row).join(', ')}`;
    insertStatements.set(key, statement);
  }
  return statement;
}
