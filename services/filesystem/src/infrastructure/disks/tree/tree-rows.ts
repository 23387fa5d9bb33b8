import { DomainError } from '@spanwise/kernel';
import {
  type Database,
  firstRow,
  insertRows,
  isUniqueViolation,
  type SqlExecutor,
  type SqlValue,
} from '@spanwise/persistence';
import { hashOfPath } from '../../persistence/path-hash.ts';
import { insertColumns, rowColumns, type TreeRow, valuesOf } from './tree-row.ts';

/** Another transaction has changed what this one had read. It is run again; when that never ends, it is an outage. */
export class Overtaken extends DomainError {
  constructor(disk: string) {
    super('unavailable', 'DISK_UNAVAILABLE', `The disk ${disk} is too busy: try again.`, { facts: { disk } });
  }
}

/** Rows that are deleted with one statement at most. */
const maxRowsPerDelete = 64;

/** The rows of one disk. Changes compare the stamps that were read and count the rows: see {@link TreeRow}. */
export class TreeRows {
  readonly #disk: string;
  readonly #sql: SqlExecutor;

  constructor(disk: string, sql: SqlExecutor | Database) {
    this.#disk = disk;
    this.#sql = sql;
  }

  at(path: string): Promise<TreeRow | undefined> {
    return firstRow<TreeRow>(this.#sql, `select ${rowColumns} from fs_nodes where disk = ? and path_hash = ?`, [
      this.#disk,
      hashOfPath(path),
    ]);
  }

  /** At least `limit` entries of a directory if there are as many, by name in byte order. */
  entries(directory: string, after: string, limit: number): Promise<TreeRow[]> {
    // A limit can not be a parameter in MySQL; with powers of two, few statements have to be prepared.
    const rows = 2 ** Math.ceil(Math.log2(limit));
    return this.#sql.all<TreeRow>(
      `select ${rowColumns} from fs_nodes where disk = ? and parent_hash = ? and name > ? order by name limit ${rows}`,
      [this.#disk, hashOfPath(directory), after],
    );
  }

  /** A row and all below it, each directory before what is in it. */
  async subtree(top: TreeRow): Promise<TreeRow[]> {
    const rows = [top];
    for (const row of rows) {
      if (row.kind === 'd') {
        const entries = await this.#sql.all<TreeRow>(
          `select ${rowColumns} from fs_nodes where disk = ? and parent_hash = ?`,
          [this.#disk, hashOfPath(row.path)],
        );
        for (const entry of entries) {
          rows.push(entry);
        }
      }
    }
    return rows;
  }

  /** Gives a directory a new stamp, and so makes it stay until the transaction ends. False when there is none. */
  async holdDirectory(path: string, stamp: string): Promise<boolean> {
    const held = await this.#sql.run("update fs_nodes set stamp = ? where disk = ? and path_hash = ? and kind = 'd'", [
      stamp,
      this.#disk,
      hashOfPath(path),
    ]);
    return held === 1;
  }

  async insert(rows: readonly TreeRow[]): Promise<void> {
    try {
      const values = rows.map((row) => valuesOf(this.#disk, row));
      await insertRows(this.#sql, 'fs_nodes', insertColumns, values);
    } catch (error) {
      throw isUniqueViolation(error) ? new Overtaken(this.#disk) : error;
    }
  }

  async replace(old: TreeRow, { size, blob_hash, modify_time_ms, stamp }: TreeRow): Promise<void> {
    this.#assertAll(
      1,
      await this.#sql.run(
        'update fs_nodes set size = ?, blob_hash = ?, modify_time_ms = ?, stamp = ? where disk = ? and path_hash = ? and stamp = ?',
        [size, blob_hash, modify_time_ms, stamp, this.#disk, hashOfPath(old.path), old.stamp],
      ),
    );
  }

  async delete(rows: readonly TreeRow[]): Promise<void> {
    for (let done = 0; done < rows.length; ) {
      const count = Math.min(2 ** Math.floor(Math.log2(rows.length - done)), maxRowsPerDelete);
      const each = Array.from({ length: count }, () => '(path_hash = ? and stamp = ?)').join(' or ');
      const keys = rows.slice(done, done + count).flatMap<SqlValue>(({ path, stamp }) => [hashOfPath(path), stamp]);
      const deleted = await this.#sql.run(`delete from fs_nodes where disk = ? and (${each})`, [this.#disk, ...keys]);
      this.#assertAll(count, deleted);
      done += count;
    }
  }

  #assertAll(expected: number, changed: number): void {
    if (changed !== expected) {
      throw new Overtaken(this.#disk);
    }
  }
}
