import type { RunId } from '@spanwise/kernel';
import { firstRow, type SqlExecutor, type SqlRow, type SqlValue } from '@spanwise/persistence';
import type { ByteRange } from '../../domain/disk/file-store.ts';
import { emptyLayer, type LayerEntry, type LayerHead, type LayerState } from '../../domain/layer/layer-entry.ts';
import type { LayerRows, LayerSlice } from '../../domain/layer/layer-rows.ts';
import type { VirtualPath } from '../../domain/path/virtual-path.ts';
import { BlobPlace } from '../blobs/blob-place.ts';
import {
  type ChunkRow,
  chunksOf,
  contentColumns,
  contentOf,
  lookTwice,
  withContent,
} from '../disks/tree/read-slice.ts';
import { paddedToPowerOfTwo } from '../persistence/padded.ts';
import { hashOfPath } from '../persistence/path-hash.ts';
import { entryOf, type LayerRow, layerRowColumns } from './layer-row.ts';

export interface HeadRow extends SqlRow {
  readonly state: string;
  readonly version: number;
  readonly bytes: number;
  readonly entries: number;
  /** Since when the view sees disks as they are; null while it sees them as it has found them. */
  readonly unpinned_ms: number | null;
  readonly change_time_ms: number;
}

/** Paths that are named in one statement at most. */
export const maxPathsPerStatement = 64;

/** The layer of one view in the tables `fs_layers` and `fs_layer_nodes`. */
export class SqlLayerRows implements LayerRows {
  readonly #viewId: RunId;
  readonly #sql: SqlExecutor;
  readonly #blobs: BlobPlace;

  constructor(viewId: RunId, sql: SqlExecutor, blobs: BlobPlace = BlobPlace.inDatabase) {
    this.#viewId = viewId;
    this.#sql = sql;
    this.#blobs = blobs;
  }

  async head(): Promise<LayerHead> {
    const sql = 'select state, version, bytes, entries, unpinned_ms, change_time_ms from fs_layers where view_id = ?';
    const row = await firstRow<HeadRow>(this.#sql, sql, [this.#viewId]);
    if (row === undefined) {
      return emptyLayer;
    }
    const { version, bytes, entries, unpinned_ms: unpinnedMs, change_time_ms: changeTimeMs } = row;
    const isUnpinned = unpinnedMs === null ? {} : { isUnpinned: true };
    return { state: row.state as LayerState, version, bytes, entries, changeTimeMs, ...isUnpinned };
  }

  async at(paths: readonly VirtualPath[]): Promise<ReadonlyMap<string, LayerEntry>> {
    return new Map([...(await this.rowsAt(paths))].map(([path, row]) => [path, entryOf(row)]));
  }

  /** The rows behind {@link SqlLayerRows.at}. */
  async rowsAt(paths: readonly VirtualPath[]): Promise<ReadonlyMap<string, LayerRow>> {
    const found = new Map<string, LayerRow>();
    for (let done = 0; done < paths.length; done += maxPathsPerStatement) {
      const batch = paths.slice(done, done + maxPathsPerStatement);
      const hashes = paddedToPowerOfTwo(batch.map(({ text }) => hashOfPath(text)));
      const rows = await this.#select(`path_hash in (${hashes.map(() => '?').join(', ')})`, hashes);
      for (const row of rows) {
        found.set(row.path, row);
      }
    }
    return found;
  }

  async entries(directory: VirtualPath, after: string, limit: number): Promise<readonly LayerEntry[]> {
    // A limit can not be a parameter in MySQL; with powers of two, few statements have to be prepared.
    const page = `parent_hash = ? and name > ? order by name limit ${2 ** Math.ceil(Math.log2(limit))}`;
    const rows = await this.#select(page, [hashOfPath(directory.text), after]);
    return rows.slice(0, limit).map(entryOf);
  }

  async below(directory: VirtualPath): Promise<readonly LayerEntry[]> {
    const found: LayerEntry[] = [];
    const directories = [directory.text];
    for (const path of directories) {
      for (const row of await this.#select('parent_hash = ?', [hashOfPath(path)])) {
        found.push(entryOf(row));
        // A whiteout has rows below it where a disk keeps no versions.
        if (row.kind !== 'f') {
          directories.push(row.path);
        }
      }
    }
    return found;
  }

  async all(): Promise<readonly LayerEntry[]> {
    const entries = (await this.#select('1 = 1', [])).map(entryOf);
    return entries.toSorted((left, right) => left.path.segments.length - right.path.segments.length);
  }

  read(path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<LayerSlice | undefined> {
    return lookTwice<LayerSlice | undefined>(async () => {
      // One statement: the blob of a file that is overwritten meanwhile may be gone before a second one.
      const rows = await this.#sql.all<LayerRow & ChunkRow>(
        `select n.*, ${contentColumns} from (
          select ${layerRowColumns} from fs_layer_nodes where view_id = ? and path_hash = ?) n ${withContent}`,
        [this.#viewId, hashOfPath(path.text), ...chunksOf(range)],
      );
      const [row] = rows;
      if (row === undefined) {
        return { found: undefined };
      }
      const data = await contentOf(rows, range, row.size, (location, within) =>
        this.#blobs.read(location, within, signal),
      );
      return data === undefined ? { missing: row.blob_hash } : { found: { node: entryOf(row).node, data } };
    });
  }

  #select(which: string, parameters: readonly SqlValue[]): Promise<LayerRow[]> {
    const sql = `select ${layerRowColumns} from fs_layer_nodes where view_id = ? and ${which}`;
    return this.#sql.all<LayerRow>(sql, [this.#viewId, ...parameters]);
  }
}
