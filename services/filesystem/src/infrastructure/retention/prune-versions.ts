import type { Database, SqlExecutor, SqlRow } from '@spanwise/persistence';
import type { KeptVersion } from '../../domain/retention/prunable-versions.ts';
import type { VersionSearch } from '../../domain/retention/retention-repository.ts';
import { changeBlobUses } from '../disks/tree/blobs.ts';
import { paddedToPowerOfTwo } from '../persistence/padded.ts';

interface VersionRow extends SqlRow {
  readonly path_hash: string;
  readonly kind: string;
  readonly head: number;
  readonly to_head: number;
  readonly superseded_ms: number;
}

/** See `RetentionRepository.overfull`. */
export async function overfullPaths(
  sql: SqlExecutor,
  disk: string,
  { keep, agedMs, after, limit }: VersionSearch,
): Promise<readonly string[]> {
  const rows = await sql.all<{ path_hash: string }>(
    `select path_hash from fs_versions where disk = ? and path_hash > ? group by path_hash
      having sum(case when kind = 'f' then 1 else 0 end) > ? or min(superseded_ms) <= ?
        or sum(case when kind = 'f' then 0 else 1 end) > 0
      order by path_hash limit ${limit}`,
    [disk, after, keep, agedMs],
  );
  return rows.map(({ path_hash: key }) => key);
}

/** See `RetentionRepository.versionsOf`. */
export async function versionsOfPaths(
  sql: SqlExecutor,
  disk: string,
  keys: readonly string[],
): Promise<readonly KeptVersion[]> {
  const padded = paddedToPowerOfTwo(keys);
  const rows = await sql.all<VersionRow>(
    `select path_hash, kind, head, to_head, superseded_ms from fs_versions
      where disk = ? and path_hash in (${padded.map(() => '?').join(', ')})`,
    [disk, ...padded],
  );
  return rows.map((row) => ({
    key: row.path_hash,
    isFile: row.kind === 'f',
    head: row.head,
    toHead: row.to_head,
    supersededMs: row.superseded_ms,
  }));
}

/** See `RetentionRepository.prune`. */
export function pruneVersions(database: Database, disk: string, versions: readonly KeptVersion[]): Promise<number> {
  return database.transaction(async (tx) => {
    // Holds the disk, as its changes do: what others take away meanwhile is not released twice.
    await tx.run('update fs_heads set head = head where disk = ?', [disk]);
    const released: string[] = [];
    let [pruned, prunedHead] = [0, 0];
    // Files first, so that the directories that they leave empty can go, too.
    for (const { key, head, toHead } of versions.toSorted(
      (left, right) => Number(right.isFile) - Number(left.isFile),
    )) {
      const which = 'from fs_versions where disk = ? and path_hash = ? and head = ?';
      const [row] = await tx.all<{ kind: string; blob_hash: string }>(`select kind, blob_hash ${which}`, [
        disk,
        key,
        head,
      ]);
      if (row !== undefined && (row.kind === 'f' || !(await hasVersionsBelow(tx, disk, key)))) {
        await tx.run(`delete ${which}`, [disk, key, head]);
        pruned += 1;
        prunedHead = Math.max(prunedHead, toHead);
        released.push(...(row.kind === 'f' ? [row.blob_hash] : []));
      }
    }
    const raise = 'update fs_heads set pruned_head = ? where disk = ? and pruned_head < ?';
    await tx.run(raise, [prunedHead, disk, prunedHead]);
    await changeBlobUses(tx, [], released);
    return pruned;
  });
}

/** What was in a directory is found through it, when it is erased. */
async function hasVersionsBelow(tx: SqlExecutor, disk: string, key: string): Promise<boolean> {
  const sql = 'select head from fs_versions where disk = ? and parent_hash = ? limit 1';
  return (await tx.all(sql, [disk, key])).length > 0;
}
