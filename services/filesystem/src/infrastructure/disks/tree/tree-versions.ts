import type { SqlExecutor, SqlRow } from '@spanwise/persistence';
import type { FileVersion } from '../../../domain/disk/versioned-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';
import { changeBlobUses } from './blobs.ts';
import { fileNodeOf, rowColumns, type TreeRow, versionColumns } from './tree-row.ts';

/** See `VersionedStore.versions`. */
export async function versionsOf(
  sql: SqlExecutor,
  disk: string,
  path: VirtualPath,
  limit: number,
): Promise<readonly FileVersion[]> {
  const key = [disk, hashOfPath(path.text)];
  const current = await sql.all<TreeRow>(
    `select ${rowColumns} from fs_nodes where disk = ? and path_hash = ? and kind = 'f'`,
    key,
  );
  const older = await sql.all<TreeRow>(
    `select ${versionColumns} from fs_versions where disk = ? and path_hash = ? and kind = 'f'
      order by head desc limit ${limit}`,
    key,
  );
  const versions = [...current, ...older].slice(0, limit);
  return versions.map((row, index) => ({
    version: row.head,
    node: fileNodeOf(row),
    isCurrent: index < current.length,
  }));
}

interface UseRow extends SqlRow {
  readonly path_hash: string;
  readonly kind: string;
  readonly blob_hash: string;
}

/** Deletes a path of a disk and all below it, versions included. */
export async function eraseTree(tx: SqlExecutor, disk: string, path: VirtualPath): Promise<void> {
  const released: string[] = [];
  const pending = [hashOfPath(path.text)];
  const known = new Set(pending);
  for (const table of ['fs_nodes', 'fs_versions']) {
    const rows = await tx.all<UseRow>(
      `select path_hash, kind, blob_hash from ${table} where disk = ? and path_hash = ?`,
      [disk, pending[0] ?? ''],
    );
    released.push(...rows.flatMap(({ kind, blob_hash: hash }) => (kind === 'f' ? [hash] : [])));
  }
  for (const directory of pending) {
    for (const table of ['fs_nodes', 'fs_versions']) {
      const rows = await tx.all<UseRow>(
        `select path_hash, kind, blob_hash from ${table} where disk = ? and parent_hash = ?`,
        [disk, directory],
      );
      for (const { path_hash: key, kind, blob_hash: hash } of rows) {
        released.push(...(kind === 'f' ? [hash] : []));
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
  await changeBlobUses(tx, [], released);
}
