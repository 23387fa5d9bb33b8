import { type Connection, createPool, type Pool } from 'mysql2';
import { isConnectionLost } from './database-errors.ts';
import { statementTimeoutMs } from './mysql-database.ts';

/** Opens connections to MySQL as they are needed. Queries without a limit of their own have one while `limit` is on. */
export function openMySqlPool(url: string, connectionLimit: number, limit: { readonly isOn: boolean }): Pool {
  const pool = createPool({
    uri: url,
    charset: 'utf8mb4_bin',
    connectionLimit,
    connectTimeout: 5_000,
    enableKeepAlive: true,
    maxPreparedStatements: 500,
    supportBigNumbers: true,
    dateStrings: true,
  });
  pool.on('connection', (connection) => {
    limitQueries(connection, limit);
    // Each statement then sees what others have committed: the guards rely on it.
    connection.query('set session transaction isolation level read committed', [], (error) => {
      if (error !== null) {
        connection.destroy();
      }
    });
  });
  return pool;
}

/**
 * Gives the queries of the ORM a limit, and closes a connection that does not keep it: mysql2 itself would wait for ever,
 * and go on with the connection.
 */
function limitQueries(connection: Connection, limit: { readonly isOn: boolean }): void {
  const query = connection.query.bind(connection) as (...input: unknown[]) => unknown;
  connection.query = ((sql: unknown, values: unknown, callback: unknown) => {
    if (!limit.isOn || typeof sql !== 'string' || typeof callback !== 'function') {
      return query(sql, values, callback);
    }
    return query({ sql, values, timeout: statementTimeoutMs }, (error: unknown, ...answer: unknown[]) => {
      if (error instanceof Error && isConnectionLost(error)) {
        connection.destroy();
      }
      callback(error, ...answer);
    });
  }) as Connection['query'];
}
