import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { Database, SqlExecutor, SqlRow, SqlValue } from './database.ts';
import { databaseUnavailable, isConnectionLost, isLockConflict, toldError } from './database-errors.ts';

/** How long MySQL may take; in milliseconds. */
export interface MySqlTimeouts {
  /** A statement that takes longer is given up and its connection closed: mysql2 itself would wait for ever. */
  readonly statementMs: number;
  /** Waiting for a free connection of the pool counts as an outage after this. */
  readonly connectionMs: number;
}

export const statementTimeoutMs = 5_000;
const defaultTimeouts: MySqlTimeouts = { statementMs: statementTimeoutMs, connectionMs: 5_000 };
const conflictRetries = 8;

/** MySQL or MariaDB through the pool of MikroORM's driver, with prepared statements. */
export class MySqlDatabase implements Database {
  readonly dialect = 'mysql';
  readonly #pool: Pool;
  readonly #timeouts: MySqlTimeouts;

  constructor(pool: Pool, timeouts: MySqlTimeouts = defaultTimeouts) {
    this.#pool = pool;
    this.#timeouts = timeouts;
  }

  run(sql: string, parameters: readonly SqlValue[]): Promise<number> {
    return this.#retryingConflicts(() =>
      this.#withConnection((connection) => executorOf(connection, this.#timeouts).run(sql, parameters)),
    );
  }

  all<Row extends SqlRow>(sql: string, parameters: readonly SqlValue[]): Promise<Row[]> {
    return this.#withConnection((connection) => executorOf(connection, this.#timeouts).all<Row>(sql, parameters));
  }

  transaction<Result>(work: (tx: SqlExecutor) => Promise<Result>): Promise<Result> {
    return this.#retryingConflicts(() =>
      this.#withConnection(async (connection) => {
        await command(connection, 'begin', this.#timeouts);
        try {
          const result = await work(executorOf(connection, this.#timeouts));
          await command(connection, 'commit', this.#timeouts);
          return result;
        } catch (error) {
          // On a broken connection the server rolls back by itself once it notices.
          if (!isConnectionLost(error)) {
            await command(connection, 'rollback', this.#timeouts);
          }
          throw error;
        }
      }),
    );
  }

  async #retryingConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!isLockConflict(error) || attempt === conflictRetries) {
          throw isLockConflict(error) ? databaseUnavailable(error) : error;
        }
        await delay(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  async #withConnection<Result>(work: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#acquire();
    try {
      const result = await work(connection);
      connection.release();
      return result;
    } catch (error) {
      if (isConnectionLost(error)) {
        connection.destroy();
        throw databaseUnavailable(error);
      }
      connection.release();
      throw toldError(error);
    }
  }

  async #acquire(): Promise<PoolConnection> {
    const pending = this.#pool.getConnection();
    const timeout = AbortSignal.timeout(this.#timeouts.connectionMs);
    try {
      return await Promise.race([pending, rejectedBy(timeout)]);
    } catch (error) {
      void pending.then((late) => late.release()).catch(() => undefined);
      throw databaseUnavailable(error);
    }
  }
}

function executorOf(connection: PoolConnection, { statementMs: timeout }: MySqlTimeouts): SqlExecutor {
  return {
    async run(sql, parameters) {
      const execution = connection.execute<ResultSetHeader>({ sql, timeout }, [...parameters]);
      const [result] = await inTime(execution, timeout);
      return result.affectedRows;
    },
    async all<Row extends SqlRow>(sql: string, parameters: readonly SqlValue[]) {
      const [rows] = await inTime(connection.execute<RowDataPacket[]>({ sql, timeout }, [...parameters]), timeout);
      return rows as unknown as Row[];
    },
  };
}

async function command(connection: PoolConnection, sql: string, { statementMs }: MySqlTimeouts): Promise<void> {
  await inTime(connection.query({ sql, timeout: statementMs }), statementMs);
}

/** Beyond the driver's own limit, which begins only once a statement is prepared: preparing has none. */
const marginMs = 250;

/** Gives a statement up. Its connection is then of no use any more. */
async function inTime<Result>(statement: Promise<Result>, limitMs: number): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  // Made only when it is needed: an error has a stack, and this is every statement.
  const timer = setTimeout(() => reject(lateAnswer()), limitMs + marginMs);
  try {
    return await Promise.race([statement, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** As the driver tells it by itself. */
function lateAnswer(): Error {
  return Object.assign(new Error('The database did not answer in time.'), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' });
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
