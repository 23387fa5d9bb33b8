import type { SqlExecutor, SqlRow } from '@spanwise/persistence';
import type { FileVersion } from '../../../domain/disk/versioned-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';
import type { Quotas, UsageChanges } from '../../usage/usage-changes.ts';
import { changeBlobUses } from './blobs.ts';
import { fileNodeOf, rowColumns, type TreeRow, versionColumns } from './tree-row.ts';

interface VersionRow extends TreeRow {
  readonly to_head: number;
}

export interface VersionsRequest {
  readonly limit: number;
  /** Undefined: up to now. */
  readonly upTo: number | undefined;
}

const now = Number.MAX_SAFE_INTEGER;

/** See `VersionedStore.versions`. */
export async function versionsOf(
  sql: SqlExecutor,
  disk: string,
  path: VirtualPath,
  { limit, upTo = now - 1 }: VersionsRequest,
): Promise<readonly FileVersion[]> {
  const key = [disk, hashOfPath(path.text), upTo];
  // One statement: what is replaced meanwhile would be in neither of two.
  const rows = await sql.all<VersionRow>(
    `select ${rowColumns}, ${now} as to_head from fs_nodes
        where disk = ? and path_hash = ? and head <= ? and kind = 'f'
      union all select ${versionColumns}, to_head from fs_versions
        where disk = ? and path_hash = ? and head <= ? and kind = 'f' order by head desc limit ${limit}`,
    [...key, ...key],
  );
  return rows.map((row) => ({ version: row.head, node: fileNodeOf(row), isCurrent: row.to_head > upTo }));
}

interface UseRow extends SqlRow {
  readonly path_hash: string;
  readonly kind: string;
  readonly blob_hash: string;
  readonly size: number;
  readonly owner: string;
}

/** What is counted for users, and the versions, which are not. */
const erased = [
  'select path_hash, kind, blob_hash, size, owner from fs_nodes',
  "select path_hash, kind, blob_hash, 0 as size, '' as owner from fs_versions",
];

/** Deletes a path of a disk and all below it, versions included. */
export async function eraseTree(
  tx: SqlExecutor,
  disk: string,
  path: VirtualPath,
  { usage, quotas }: { readonly usage: UsageChanges; readonly quotas: Quotas },
): Promise<void> {
  // Holds the disk: what retention takes away meanwhile would be released twice.
  await tx.run('update fs_heads set head = head where disk = ?', [disk]);
  const released: string[] = [];
  const pending = [hashOfPath(path.text)];
  const known = new Set(pending);
  const release = (rows: readonly UseRow[]) => {
    for (const { blob_hash: hash, size, owner } of rows.filter(({ kind }) => kind === 'f')) {
      released.push(hash);
      usage.add(disk, owner, { bytes: -size, files: -1 });
    }
  };
  for (const uses of erased) {
    release(await tx.all<UseRow>(`${uses} where disk = ? and path_hash = ?`, [disk, pending[0] ?? '']));
  }
  for (const directory of pending) {
    for (const uses of erased) {
      const rows = await tx.all<UseRow>(`${uses} where disk = ? and parent_hash = ?`, [disk, directory]);
      release(rows);
      for (const { path_hash: key } of rows) {
        // What is a file now may have been a directory before.
        if (!known.has(key)) {
          known.add(key);
          pending.push(key);
        }
      }
    }
  }
  for (const table of ['fs_nodes', 'fs_versions']) {
    for (const key of pending) {
      await tx.run(`delete from ${table} where disk = ? and parent_hash = ?`, [disk, key]);
    }
    await tx.run(`delete from ${table} where disk = ? and path_hash = ?`, [disk, pending[0] ?? '']);
  }
  await usage.apply(tx, quotas);
  await changeBlobUses(tx, [], released);
}
