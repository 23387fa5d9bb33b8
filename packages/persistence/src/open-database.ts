import { fileURLToPath } from 'node:url';
import type { EntitySchema } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { MySqlDriver, MikroORM as MySqlOrm } from '@mikro-orm/mysql';
import { type AbstractSqlDriver, MikroORM, type Options, type SqlEntityManager, SqliteDriver } from '@mikro-orm/sql';
import { DomainError } from '@spanwise/kernel';
import { MysqlDialect } from 'kysely';
import { type Database, firstRow } from './database.ts';
import { databaseUnavailable, isConnectionLost, toldError } from './database-errors.ts';
import type { NamedMigration } from './migration.ts';
import { MySqlDatabase } from './mysql-database.ts';
import { openMySqlPool } from './mysql-pool.ts';
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
  /**
   * The same for what must not wait behind all else, such as leases and health: with MySQL it has connections of its own.
   * Few and short statements only.
   */
  readonly urgent: Database;
  /** A unit of work of MikroORM. Throws DATABASE_UNAVAILABLE when the database can not be reached or does not answer. */
  orm<Result>(work: (em: SqlEntityManager) => Promise<Result>): Promise<Result>;
  /** Brings the schema up to date under a lock: several processes may call it at once. Answers what was done. */
  migrate(): Promise<readonly string[]>;
  /** Resolves when the database answers and its schema is up to date. */
  checkReady(): Promise<void>;
}

const urgentConnections = 2;

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
  return opened(options, orm, { sql: sqlite, urgent: sqlite }, lock, () => sqlite.close());
}

async function openMySql(options: OpenOptions): Promise<OpenDatabase> {
  // Migrations may take as long as they need: the server would finish a statement that is given up.
  const limit = { isOn: true };
  const callbackPool = openMySqlPool(options.url, options.poolSize ?? 10, limit);
  const urgentPool = openMySqlPool(options.url, urgentConnections, limit).promise();
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
  const close = async () => {
    await Promise.all([pool, urgentPool].map((each) => each.end().catch(() => undefined)));
  };
  const databases = { sql: new MySqlDatabase(pool), urgent: new MySqlDatabase(urgentPool) };
  return opened(options, orm, databases, lock, close);
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
  { sql, urgent }: Pick<OpenDatabase, 'sql' | 'urgent'>,
  underLock: (migrate: () => Promise<readonly string[]>) => Promise<readonly string[]>,
  close: () => void | Promise<void>,
): OpenDatabase {
  const last = migrations.at(-1)?.name ?? '';
  return {
    ...{ sql, urgent },
    async orm(work) {
      try {
        return await work(orm.em.fork());
      } catch (error) {
        throw isConnectionLost(error) ? databaseUnavailable(error) : toldError(error);
      }
    },
    migrate: () => underLock(async () => (await orm.migrator.up()).map(({ name }) => name)),
    async checkReady() {
      const done = await firstRow(urgent, `select name from ${service}_migrations where name = ?`, [last]);
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
