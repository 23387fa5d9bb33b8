import type { Database, SqlRow, SqlValue } from '@spanwise/persistence';
import type { TouchedPath, TreeHistory } from '../../application/ports/tree-history.ts';
import { watcherTooSlow } from '../../domain/watching/watch-errors.ts';
import { markedNodeOf, type TreeRow } from '../disks/tree/tree-row.ts';

/** Rows of one answer at most. */
const maxRows = 100_000;
/** Answers that are kept: watchers of one disk ask for the same changes at the same moment. */
const maxKept = 16;

interface HistoryRow extends SqlRow {
  readonly path: string;
  readonly kind: string;
  readonly blob_hash: string;
  readonly is_opaque: number;
  readonly size: number;
  readonly modify_time_ms: number;
  readonly head: number;
  /** 0 for what is still there. */
  readonly to_head: number;
}

const columns = 'path, kind, blob_hash, is_opaque, size, modify_time_ms, head';

/** The changes of tree disks, as their rows and versions tell them. */
export class SqlTreeHistory implements TreeHistory {
  readonly #database: Database;
  readonly #kept = new Map<string, Promise<readonly TouchedPath[]>>();

  constructor({ database }: { readonly database: Database }) {
    this.#database = database;
  }

  between(disk: string, from: number, to: number, folder?: string): Promise<readonly TouchedPath[]> {
    const key = JSON.stringify([disk, from, to, folder]);
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      return kept;
    }
    const read = this.#read(disk, from, to, folder);
    this.#kept.set(key, read);
    read.catch(() => this.#kept.delete(key));
    for (const oldest of [...this.#kept.keys()].slice(0, -maxKept)) {
      this.#kept.delete(oldest);
    }
    return read;
  }

  /** One statement, so that a row is not missed on its way into a version. */
  async #read(disk: string, from: number, to: number, folder?: string): Promise<readonly TouchedPath[]> {
    const prefix = folder === undefined || folder === '/' ? undefined : `${folder}/`;
    // Lengths are counted in code points, as databases do.
    const within: SqlValue[] = prefix === undefined ? [] : [folder ?? '', Array.from(prefix).length, prefix];
    const filter = prefix === undefined ? '' : ' and (path = ? or substr(path, 1, ?) = ?)';
    const rows = await this.#database.all<HistoryRow>(
      `select ${columns}, 0 as to_head from fs_nodes where disk = ? and head > ? and head <= ?${filter}
        union all
        select ${columns}, to_head from fs_versions where disk = ? and to_head > ? and head <= ?${filter}
        limit ${maxRows + 1}`,
      [disk, from, to, ...within, disk, from, to, ...within],
    );
    if (rows.length > maxRows) {
      throw watcherTooSlow();
    }
    return touchedPaths(rows, from, to);
  }
}

/** What rows and versions say of the changes after `from`, up to `to`. */
export function touchedPaths(rows: readonly HistoryRow[], from: number, to: number): readonly TouchedPath[] {
  const touched = new Map<string, { before?: HistoryRow; after?: HistoryRow }>();
  for (const row of rows) {
    const [wasThere, isThere] = [isSeenAt(row, from), isSeenAt(row, to)];
    if (!(wasThere && isThere)) {
      const known = touched.get(row.path) ?? {};
      touched.set(row.path, { ...known, ...(wasThere ? { before: row } : {}), ...(isThere ? { after: row } : {}) });
    }
  }
  return [...touched].map(([path, { before, after }]) => ({
    path,
    before: before && markedNodeOf(treeRowOf(before)),
    after: after && markedNodeOf(treeRowOf(after)),
  }));
}

function isSeenAt({ head, to_head: toHead }: HistoryRow, at: number): boolean {
  return head <= at && (toHead === 0 || toHead > at);
}

function treeRowOf(row: HistoryRow): TreeRow {
  return { ...row, name: '', stamp: '', owner: '' };
}
