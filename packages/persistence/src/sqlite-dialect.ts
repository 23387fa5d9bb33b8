import { type DatabaseConnection, type Driver, SqliteDialect, SqliteDriver } from 'kysely';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * Lets MikroORM use the connection of a {@link SqliteDatabase}, one holder at a time, with transactions that take the
 * write lock when they begin (the dialect that MikroORM ships loses transactions to SQLITE_BUSY).
 */
export class SharedSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    super({ database: () => Promise.resolve(unusedConfig(database)) });
    this.#database = database;
  }

  override createDriver(): Driver {
    return new SharedSqliteDriver(this.#database);
  }
}

class SharedSqliteDriver extends SqliteDriver {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    super({ database: () => Promise.resolve(unusedConfig(database)) });
    this.#database = database;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#database.lock.acquire();
    return super.acquireConnection();
  }

  override async beginTransaction(): Promise<void> {
    await this.#database.begin();
  }

  override async releaseConnection(): Promise<void> {
    this.#database.lock.release();
  }

  override async destroy(): Promise<void> {
    // The owner of the database closes it.
  }
}

/** What kysely wants of a SQLite library. */
function unusedConfig({ connection }: SqliteDatabase) {
  return {
    prepare(sql: string) {
      const statement = connection.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...(parameters as string[])),
        run: (parameters: readonly unknown[]) => statement.run(...(parameters as string[])),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as string[])),
      };
    },
    close() {
      // The owner of the database closes it.
    },
  };
}
