import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, SqlExecutor, SqlRow, SqlValue } from './database.ts';
import { databaseUnavailable, isLockConflict, toldError } from './database-errors.ts';
import { Lock } from './lock.ts';

export interface SqliteOptions {
  /** Path of the file, made with its folder when missing; `:memory:` for a private one. */
  readonly path: string;
  /** `normal` (default) survives a killed process, `full` a power cut, at twenty times the cost of a commit. */
  readonly synchronous?: 'normal' | 'full';
}

/** Waits inside SQLite block the event loop, so they are short and repeated from outside. */
const busyTimeoutMs = 100;
const busyRetries = 50;

/**
 * SQLite through node:sqlite: one connection, one transaction at a time. Statements are synchronous and take microseconds;
 * a transaction's work must therefore wait for nothing but its own statements.
 */
export class SqliteDatabase implements Database {
  readonly dialect = 'sqlite';
  /** The connection, for the ORM's driver; whoever uses it holds `lock`. */
  readonly connection: DatabaseSync;
  readonly lock = new Lock();
  readonly #statements = new Map<string, StatementSync>();
  readonly #executor: SqlExecutor;

  constructor({ path, synchronous = 'normal' }: SqliteOptions) {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true });
    }
    this.connection = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    this.connection.exec(
      `pragma journal_mode = wal; pragma synchronous = ${synchronous}; pragma cache_size = -8192; pragma wal_autocheckpoint = 4000`,
    );
    this.#executor = {
      run: async (sql, parameters) => Number(this.#statement(sql).run(...parameters).changes),
      all: async <Row extends SqlRow>(sql: string, parameters: readonly SqlValue[]) =>
        this.#statement(sql).all(...parameters) as Row[],
    };
  }

  async run(sql: string, parameters: readonly SqlValue[]): Promise<number> {
    return this.transaction((tx) => tx.run(sql, parameters));
  }

  async all<Row extends SqlRow>(sql: string, parameters: readonly SqlValue[]): Promise<Row[]> {
    await this.lock.acquire();
    try {
      return await this.#executor.all<Row>(sql, parameters);
    } catch (error) {
      throw toldError(error);
    } finally {
      this.lock.release();
    }
  }

  async transaction<Result>(work: (tx: SqlExecutor) => Promise<Result>): Promise<Result> {
    await this.lock.acquire();
    try {
      await this.begin();
      try {
        const result = await work(this.#executor);
        this.#statement('commit').run();
        return result;
      } catch (error) {
        if (this.connection.isTransaction) {
          this.#statement('rollback').run();
        }
        throw toldError(error);
      }
    } finally {
      this.lock.release();
    }
  }

  /** Begins a transaction that can write, waiting for other processes without blocking this one. */
  async begin(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#statement('begin immediate').run();
        return;
      } catch (error) {
        if (!isLockConflict(error) || attempt === busyRetries) {
          throw databaseUnavailable(error);
        }
        await delay(10 + Math.random() * 40);
      }
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.connection.isOpen) {
      this.connection.close();
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
