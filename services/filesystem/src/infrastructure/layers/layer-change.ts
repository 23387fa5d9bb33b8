import type { RunId } from '@spanwise/kernel';
import { insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import { bytesOf, type LayerEntry } from '../../domain/layer/layer-entry.ts';
import { quotaExceeded } from '../../domain/layer/layer-errors.ts';
import type { LayerChanges, LayerPut } from '../../domain/layer/layer-rows.ts';
import type { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { StagedBlobs } from '../blobs/staged-blobs.ts';
import { changeBlobUses } from '../disks/tree/blobs.ts';
import { Overtaken } from '../disks/tree/overtaken.ts';
import { hashOfPath } from '../persistence/path-hash.ts';
import { type Quotas, UsageChanges } from '../usage/usage-changes.ts';
import { entryOf, insertLayerColumns, layerValues } from './layer-row.ts';
import { maxPathsPerStatement, SqlLayerRows } from './sql-layer-rows.ts';

/** What a layer may hold. */
export interface LayerLimits {
  /** Bytes of all files; default 256 MiB. */
  readonly maxBytes: number;
  /** Paths; default 100,000. */
  readonly maxEntries: number;
}

export const defaultLayerLimits: LayerLimits = { maxBytes: 256 * 1024 * 1024, maxEntries: 100_000 };

/** The layer that is changed. */
export interface ChangedLayer {
  readonly viewId: RunId;
  /** Its user. */
  readonly uid: string;
  readonly limits: LayerLimits;
  readonly quotas: Quotas;
  /** The disk that what is put at a path is reserved on; undefined where none counts it. */
  readonly meteredDisk: (path: VirtualPath) => string | undefined;
  /** What the change has stored outside of the database before. */
  readonly staged: StagedBlobs;
}

/**
 * Makes a change of a layer within a transaction, if the layer is still what the change was decided on. Files that it puts
 * are reserved on the disks that they will be published to. Throws QUOTA_EXCEEDED.
 */
export async function changeLayer(
  tx: SqlExecutor,
  { viewId, uid, limits: { maxBytes, maxEntries }, quotas, meteredDisk, staged }: ChangedLayer,
  { version, puts, removed }: LayerChanges,
  nowMs: number,
): Promise<void> {
  const put = new Map(puts.map((each) => [each.entry.path.text, each]));
  const rows = new SqlLayerRows(viewId, tx);
  await moveVersion(tx, viewId, version, nowMs);
  if (put.size === 0 && removed.length === 0) {
    return;
  }
  const oldRows = await rows.rowsAt([...[...put.values()].map(({ entry }) => entry.path), ...removed]);
  const old = new Map([...oldRows].map(([path, row]) => [path, entryOf(row)]));
  const usage = new UsageChanges();
  for (const { kind, disk, size } of oldRows.values()) {
    reserve(usage, { uid, disk, size, files: kind === 'f' ? -1 : 0 });
  }
  const values = [...put.values()].map(({ entry }) => {
    const disk = (entry.node.kind === 'file' && meteredDisk(entry.path)) || '';
    reserve(usage, { uid, disk, size: bytesOf(entry.node), files: 1 });
    return layerValues(viewId, entry, disk);
  });
  await deleteEntries(
    tx,
    viewId,
    [...old.values()].map(({ path }) => path),
  );
  await insertRows(tx, 'fs_layer_nodes', insertLayerColumns, values);
  const bytes = sum([...put.values()].map(({ entry }) => entry)) - sum([...old.values()]);
  await tx.run('update fs_layers set bytes = bytes + ?, entries = entries + ? where view_id = ?', [
    bytes,
    put.size - old.size,
    viewId,
  ]);
  const head = await rows.head();
  if (bytes > 0 && head.bytes > maxBytes) {
    throw quotaExceeded('layer_bytes', maxBytes);
  }
  if (put.size > old.size && head.entries > maxEntries) {
    throw quotaExceeded('layer_entries', maxEntries);
  }
  await usage.apply(tx, quotas);
  await changeBlobUses(tx, [...put.values()].flatMap(contentOf), [...old.values()].flatMap(hashesOf), staged);
}

/** Deletes entries; their blobs stay in use. */
export async function deleteEntries(tx: SqlExecutor, viewId: RunId, paths: readonly VirtualPath[]): Promise<void> {
  for (let done = 0; done < paths.length; ) {
    const count = Math.min(2 ** Math.floor(Math.log2(paths.length - done)), maxPathsPerStatement);
    const marks = Array.from({ length: count }, () => '?').join(', ');
    const hashes = paths.slice(done, done + count).map(({ text }) => hashOfPath(text));
    await tx.run(`delete from fs_layer_nodes where view_id = ? and path_hash in (${marks})`, [viewId, ...hashes]);
    done += count;
  }
}

/** The blobs that an entry uses. */
export function hashesOf({ node }: LayerEntry): string[] {
  return node.kind === 'file' ? [node.etag] : [];
}

async function moveVersion(tx: SqlExecutor, viewId: RunId, version: number, nowMs: number): Promise<void> {
  if (version === 0) {
    const columns = ['view_id', 'state', 'version', 'bytes', 'entries', 'change_time_ms'];
    try {
      await insertRows(tx, 'fs_layers', columns, [[viewId, 'OPEN', 1, 0, 0, nowMs]]);
      return;
    } catch (error) {
      throw isUniqueViolation(error) ? new Overtaken('of the layer') : error;
    }
  }
  const moved = await tx.run(
    "update fs_layers set version = version + 1, change_time_ms = ? where view_id = ? and version = ? and state = 'OPEN'",
    [nowMs, viewId, version],
  );
  if (moved !== 1) {
    throw new Overtaken('of the layer');
  }
}

interface Reservation {
  readonly uid: string;
  /** Empty for what is counted nowhere. */
  readonly disk: string;
  /** Bytes of one file. */
  readonly size: number;
  /** 1 for a file that comes, -1 for one that goes. */
  readonly files: number;
}

function reserve(usage: UsageChanges, { uid, disk, size, files }: Reservation): void {
  if (disk !== '') {
    usage.add(disk, uid, { reservedBytes: files * size, reservedFiles: files });
  }
}

function contentOf({ entry, data, upload }: LayerPut) {
  return hashesOf(entry).map((hash) => ({ hash, data, upload }));
}

function sum(entries: readonly LayerEntry[]): number {
  return entries.reduce((bytes, { node }) => bytes + bytesOf(node), 0);
}
