import { type Database, insertRows, isUniqueViolation, type SqlExecutor, type SqlValue } from '@spanwise/persistence';
import { compareNames } from '../../../domain/path/name-order.ts';
import { paddedToPowerOfTwo } from '../../persistence/padded.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';
import type { UsageChanges } from '../../usage/usage-changes.ts';
import { Overtaken } from './overtaken.ts';
import { atPin, insertColumns, rowColumns, type TreeRow, until, valuesOf, versionColumns } from './tree-row.ts';

/** Rows that are named in one statement at most. */
const maxRowsPerStatement = 64;

export interface TreeRowsOptions {
  readonly pin?: number | undefined;
  readonly usage?: UsageChanges | undefined;
}

/**
 * The rows of one disk, as they are or as they were at a head. Changes compare the stamps that were read and count the rows:
 * see {@link TreeRow}.
 */
export class TreeRows {
  readonly #disk: string;
  readonly #sql: SqlExecutor;
  readonly #pin: number | undefined;
  readonly #usage: UsageChanges | undefined;

  /** `pin`: shows rows as they were after the change of that number. `usage` is told of files that come and go. */
  constructor(disk: string, sql: SqlExecutor | Database, { pin, usage }: TreeRowsOptions = {}) {
    this.#disk = disk;
    this.#sql = sql;
    this.#pin = pin;
    this.#usage = usage;
  }

  async at(path: string): Promise<TreeRow | undefined> {
    return (await this.atAll([path])).get(path);
  }

  /** The rows of those paths that have one. */
  async atAll(paths: readonly string[]): Promise<Map<string, TreeRow>> {
    const found = new Map<string, TreeRow>();
    for (let done = 0; done < paths.length; done += maxRowsPerStatement) {
      const hashes = paddedToPowerOfTwo(paths.slice(done, done + maxRowsPerStatement).map(hashOfPath));
      const which = `path_hash in (${hashes.map(() => '?').join(', ')})`;
      for (const row of await this.#select(which, hashes)) {
        found.set(row.path, row);
      }
    }
    return found;
  }

  /** At least `limit` entries of a directory if there are as many, whiteouts included, by name in byte order. */
  async entries(directory: string, after: string, limit: number): Promise<TreeRow[]> {
    // A limit can not be a parameter in MySQL; with powers of two, few statements have to be prepared.
    const page = `order by name limit ${2 ** Math.ceil(Math.log2(limit))}`;
    const rows = await this.#select('parent_hash = ? and name > ?', [hashOfPath(directory), after], page);
    if (this.#pin === undefined) {
      return rows;
    }
    const sorted = rows.toSorted((left, right) => compareNames(left.name, right.name));
    return sorted.slice(0, Math.max(limit, 1));
  }

  /** Whether something is seen in a directory by who knows no marks. */
  async hasEntries(directory: string): Promise<boolean> {
    return (await this.#select("parent_hash = ? and kind <> 'w'", [hashOfPath(directory)], 'limit 1')).length > 0;
  }

  /** A row and all below it, each directory before what is in it. */
  async subtree(top: TreeRow): Promise<TreeRow[]> {
    return [top, ...(await this.below(top.path))];
  }

  /** All rows below a directory, each directory before what is in it. */
  async below(directory: string): Promise<TreeRow[]> {
    const found: TreeRow[] = [];
    const directories = [directory];
    for (const path of directories) {
      for (const row of await this.#select('parent_hash = ?', [hashOfPath(path)])) {
        found.push(row);
        if (row.kind === 'd') {
          directories.push(row.path);
        }
      }
    }
    return found;
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
    this.#count(rows, 1);
  }

  async delete(rows: readonly TreeRow[]): Promise<void> {
    for (let done = 0; done < rows.length; ) {
      const count = Math.min(2 ** Math.floor(Math.log2(rows.length - done)), maxRowsPerStatement);
      const each = Array.from({ length: count }, () => '(path_hash = ? and stamp = ?)').join(' or ');
      const keys = rows.slice(done, done + count).flatMap<SqlValue>(({ path, stamp }) => [hashOfPath(path), stamp]);
      const deleted = await this.#sql.run(`delete from fs_nodes where disk = ? and (${each})`, [this.#disk, ...keys]);
      if (deleted !== count) {
        throw new Overtaken(this.#disk);
      }
      done += count;
    }
    this.#count(rows, -1);
  }

  #count(rows: readonly TreeRow[], sign: 1 | -1): void {
    for (const { kind, owner, size } of rows) {
      if (kind === 'f') {
        this.#usage?.add(this.#disk, owner, { bytes: sign * size, files: sign });
      }
    }
  }

  #select(which: string, parameters: readonly SqlValue[], page = ''): Promise<TreeRow[]> {
    const nodes = `select ${rowColumns} from fs_nodes where disk = ? and ${which}`;
    if (this.#pin === undefined) {
      return this.#sql.all<TreeRow>(`${nodes} ${page}`, [this.#disk, ...parameters]);
    }
    const versions = `select ${versionColumns} from fs_versions where disk = ? and ${which} and ${atPin}`;
    return this.#sql.all<TreeRow>(
      `select * from (${nodes} and ${until} ${page}) n union all select * from (${versions} ${page}) v`,
      [this.#disk, ...parameters, this.#pin, this.#disk, ...parameters, this.#pin, this.#pin],
    );
  }
}
