import { fileURLToPath } from 'node:url';
import type { EntitySchema } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { MySqlDriver, MikroORM as MySqlOrm } from '@mikro-orm/mysql';
import { type AbstractSqlDriver, MikroORM, type Options, type SqlEntityManager, SqliteDriver } from '@mikro-orm/sql';
import { DomainError } from '@spanwise/kernel';
import { MysqlDialect } from 'kysely';
import { type Connection, createPool } from 'mysql2';
import { type Database, firstRow } from './database.ts';
import { databaseUnavailable, isConnectionLost, toldError } from './database-errors.ts';
import type { NamedMigration } from './migration.ts';
import { MySqlDatabase, statementTimeoutMs } from './mysql-database.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { SharedSqliteDialect } from './sqlite-dialect.ts';

export interface OpenOptions {
  /** `mysql://user:password@host:port/name`, `sqlite:path/to/file.db` or `sqlite::memory:`. */
  readonly url: string;
  readonly entities: readonly EntitySchema[];
  /** In order; names the table of done ones after the service, so that services may share a database. */
  readonly migrations: readonly NamedMigration[];
  readonly service: string;
  /** Connections to MySQL; default 10. */
  readonly poolSize?: number;
  /** For SQLite; default `normal`. */
  readonly synchronous?: 'normal' | 'full';
}

/** A database with both ways in: prepared SQL for what is hot, MikroORM for the rest. */
export interface OpenDatabase extends AsyncDisposable {
  readonly sql: Database;
  /** A unit of work of MikroORM. Throws DATABASE_UNAVAILABLE when the database can not be reached or does not answer. */
  orm<Result>(work: (em: SqlEntityManager) => Promise<Result>): Promise<Result>;
  /** Brings the schema up to date under a lock: several processes may call it at once. Answers what was done. */
  migrate(): Promise<readonly string[]>;
  /** Resolves when the database answers and its schema is up to date. */
  checkReady(): Promise<void>;
}

/** Opens a database. It does not have to be reachable yet, but MySQL's must exist. */
export async function openDatabase(options: OpenOptions): Promise<OpenDatabase> {
  return options.url.startsWith('sqlite:') ? openSqlite(options) : openMySql(options);
}

async function openSqlite(options: OpenOptions): Promise<OpenDatabase> {
  const location = options.url.slice('sqlite:'.length);
  const path = location.startsWith('//') ? fileURLToPath(`file:${location}`) : location;
  const sqlite = new SqliteDatabase({ path, synchronous: options.synchronous ?? 'normal' });
  const orm = await MikroORM.init({
    ...shared(options),
    driver: SqliteDriver,
    dbName: path,
    driverOptions: new SharedSqliteDialect(sqlite),
  } as Options<SqliteDriver>);
  const lock = async (migrate: () => Promise<readonly string[]>) => {
    // A transaction on a file of its own: the operating system lets go of it when a process dies.
    const guard = new SqliteDatabase({ path: path === ':memory:' ? path : `${path}.migrate` });
    try {
      await guard.begin();
      return await migrate();
    } finally {
      guard.close();
    }
  };
  return opened(options, orm, sqlite, lock, () => sqlite.close());
}

async function openMySql(options: OpenOptions): Promise<OpenDatabase> {
  const callbackPool = createPool({
    uri: options.url,
    charset: 'utf8mb4_bin',
    connectionLimit: options.poolSize ?? 10,
    connectTimeout: 5_000,
    enableKeepAlive: true,
    maxPreparedStatements: 500,
    supportBigNumbers: true,
    dateStrings: true,
  });
  // Migrations may take as long as they need: the server would finish a statement that is given up.
  const limit = { isOn: true };
  callbackPool.on('connection', (connection) => {
    limitQueries(connection, limit);
    // Each statement then sees what others have committed: the guards rely on it.
    connection.query('set session transaction isolation level read committed', [], (error) => {
      if (error !== null) {
        connection.destroy();
      }
    });
  });
  const pool = callbackPool.promise();
  const orm = await MySqlOrm.init({
    ...shared(options),
    driver: MySqlDriver,
    clientUrl: options.url,
    driverOptions: new MysqlDialect({ pool: callbackPool }),
  } as Options<MySqlDriver>);
  const lock = async (migrate: () => Promise<readonly string[]>) => {
    limit.isOn = false;
    const connection = await pool.getConnection();
    const name = `spanwise-migrate-${options.service}`;
    try {
      const [[row]] = (await connection.query('select get_lock(?, 60) as held', [name])) as unknown as [
        [{ held: number }],
      ];
      if (row?.held !== 1) {
        throw databaseUnavailable(
          new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'The migration lock is held.'),
        );
      }
      return await migrate();
    } finally {
      await connection.query('select release_lock(?)', [name]).catch(() => undefined);
      connection.release();
      limit.isOn = true;
    }
  };
  // Closing the ORM closes the pool, but only once the ORM has used it; a second end is refused.
  const close = () => pool.end().catch(() => undefined);
  return opened(options, orm, new MySqlDatabase(pool), lock, close);
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

function shared({ entities, migrations, service }: OpenOptions) {
  return {
    entities: [...entities],
    extensions: [Migrator],
    migrations: {
      migrationsList: [...migrations],
      tableName: `${service}_migrations`,
      snapshot: false,
      transactional: true,
      allOrNothing: false,
      disableForeignKeys: false,
      silent: true,
    },
    discovery: { warnWhenNoEntities: false },
    logger: () => undefined,
  };
}

function opened<Driver extends AbstractSqlDriver>(
  { migrations, service }: OpenOptions,
  orm: MikroORM<Driver>,
  sql: Database,
  underLock: (migrate: () => Promise<readonly string[]>) => Promise<readonly string[]>,
  close: () => void | Promise<void>,
): OpenDatabase {
  const last = migrations.at(-1)?.name ?? '';
  return {
    sql,
    async orm(work) {
      try {
        return await work(orm.em.fork());
      } catch (error) {
        throw isConnectionLost(error) ? databaseUnavailable(error) : toldError(error);
      }
    },
    migrate: () => underLock(async () => (await orm.migrator.up()).map(({ name }) => name)),
    async checkReady() {
      const done = await firstRow(sql, `select name from ${service}_migrations where name = ?`, [last]);
      if (done === undefined) {
        throw new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'The schema is out of date: run the migrations.');
      }
    },
    async [Symbol.asyncDispose]() {
      await orm.close(true);
      await close();
    },
  };
}
