import type { Clock, IdGenerator } from '@spanwise/kernel';
import { firstRow, insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import { notADirectory } from '../../../domain/disk/file-errors.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { UsageChanges } from '../../usage/usage-changes.ts';
import { changeBlobUses } from './blobs.ts';
import { Overtaken } from './overtaken.ts';
import { insertVersionColumns, type TreeRow, versionOf } from './tree-row.ts';
import { TreeRows } from './tree-rows.ts';

export interface TreeChangeDeps {
  readonly name: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'traceId'>;
  /** The user whose change it is: what it writes is counted for that one. */
  readonly uid: string;
}

/** What a new row is about. */
export type NewRow = Pick<TreeRow, 'kind'> &
  Partial<Pick<TreeRow, 'size' | 'blob_hash' | 'is_opaque' | 'modify_time_ms'>>;

/**
 * One change of a tree disk, within a transaction. It has moved the head of the disk, and so changes come one after another:
 * who reads at a head that is committed sees all changes up to it and none beyond. What it replaces becomes a version.
 */
export class TreeChange {
  /** The number of this change. */
  readonly head: number;
  readonly rows: TreeRows;
  /** What the rows that were inserted and deleted mean for the use of the disk: whoever makes the change applies it. */
  readonly usage = new UsageChanges();
  readonly #deps: TreeChangeDeps;
  readonly #tx: SqlExecutor;

  private constructor(deps: TreeChangeDeps, tx: SqlExecutor, head: number) {
    this.#deps = deps;
    this.#tx = tx;
    this.head = head;
    this.rows = new TreeRows(deps.name, tx, { usage: this.usage });
  }

  /** Moves the head and holds it until the transaction ends. */
  static async begin(deps: TreeChangeDeps, tx: SqlExecutor): Promise<TreeChange> {
    if ((await tx.run('update fs_heads set head = head + 1 where disk = ?', [deps.name])) === 0) {
      try {
        await insertRows(tx, 'fs_heads', ['disk', 'head', 'pruned_head'], [[deps.name, 1, 0]]);
      } catch (error) {
        throw isUniqueViolation(error) ? new Overtaken(deps.name) : error;
      }
    }
    const row = await firstRow<{ head: number }>(tx, 'select head from fs_heads where disk = ?', [deps.name]);
    return new TreeChange(deps, tx, row?.head ?? 1);
  }

  /** The rows as they were after the change of that number. */
  rowsAt(head: number): TreeRows {
    return new TreeRows(this.#deps.name, this.#tx, { pin: head });
  }

  /** A row of this change. */
  newRow(path: VirtualPath, { kind, size = 0, blob_hash = '', is_opaque = 0, modify_time_ms }: NewRow): TreeRow {
    return {
      path: path.text,
      kind,
      name: path.name,
      size,
      blob_hash,
      modify_time_ms: modify_time_ms ?? this.#deps.clock.nowMs(),
      head: this.head,
      is_opaque,
      stamp: this.stamp(),
      owner: this.#deps.uid,
    };
  }

  stamp(): string {
    return this.#deps.ids.traceId();
  }

  /** Takes rows away and keeps them as versions. Their blobs stay in use. */
  async supersede(rows: readonly TreeRow[]): Promise<void> {
    await this.rows.delete(rows);
    const nowMs = this.#deps.clock.nowMs();
    const [own, older] = [rows.filter(({ head }) => head === this.head), rows.filter(({ head }) => head < this.head)];
    const versions = older.map((row) => versionOf(this.#deps.name, row, this.head, nowMs));
    await insertRows(this.#tx, 'fs_versions', insertVersionColumns, versions);
    const hashes = own.flatMap(({ kind, blob_hash: hash }) => (kind === 'f' ? [hash] : []));
    await changeBlobUses(this.#tx, [], hashes);
  }

  /** Makes a directory and those above it; holds the deepest one, so that nobody removes it before it has an entry. */
  async makeDirectories(path: VirtualPath): Promise<void> {
    if (path.isRoot || (await this.rows.holdDirectory(path.text, this.stamp()))) {
      return;
    }
    const row = await this.rows.at(path.text);
    if (row?.kind === 'f') {
      throw notADirectory(path);
    }
    if (row?.kind === 'd') {
      throw new Overtaken(this.#deps.name);
    }
    await this.makeDirectories(path.parent);
    if (row !== undefined) {
      await this.supersede([row]);
    }
    await this.rows.insert([this.newRow(path, { kind: 'd', is_opaque: row === undefined ? 0 : 1 })]);
  }
}
