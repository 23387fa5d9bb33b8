import {
  firstRow,
  insertRows,
  isUniqueViolation,
  type SqlExecutor,
  type SqlRow,
  type SqlValue,
} from '@spanwise/persistence';
import {
  bytesAdded,
  filesAdded,
  limitBeyond,
  noUsage,
  type Quota,
  sumOf,
  type Usage,
} from '../../domain/usage/usage.ts';
import { diskQuotaExceeded } from '../../domain/usage/usage-errors.ts';
import { Overtaken } from '../disks/tree/overtaken.ts';

/** The quotas of disks by their names; a disk without one has no limits. */
export type Quotas = ReadonlyMap<string, Quota>;

interface UserChange {
  readonly disk: string;
  readonly uid: string;
  readonly change: Usage;
}

/** What one transaction changes of the use of disks: gathered first, written in one statement for each user and disk. */
export class UsageChanges {
  readonly #changes = new Map<string, UserChange>();

  /** Files of nobody (those from before use was counted) are left out. */
  add(disk: string, uid: string, change: Partial<Usage>): void {
    if (uid === '') {
      return;
    }
    const key = `${disk} ${uid}`;
    const before = this.#changes.get(key)?.change ?? noUsage;
    this.#changes.set(key, { disk, uid, change: sumOf(before, { ...noUsage, ...change }) });
  }

  addAll(other: UsageChanges): void {
    for (const { disk, uid, change } of other.#changes.values()) {
      this.add(disk, uid, change);
    }
  }

  /**
   * Writes what has changed; to be called once, after the rows of files and before their blobs. In the order of disks and
   * users, so that no two transactions wait for each other. Throws QUOTA_EXCEEDED when something grows beyond its quota.
   */
  async apply(tx: SqlExecutor, quotas: Quotas): Promise<void> {
    const sorted = [...this.#changes].toSorted(([left], [right]) => (left < right ? -1 : 1));
    for (const [, each] of sorted) {
      if (Object.values(each.change).some((value) => value !== 0)) {
        await changeUsage(tx, each, quotas.get(each.disk) ?? {});
      }
    }
  }
}

interface UsageRow extends SqlRow {
  readonly bytes: number;
  readonly files: number;
  readonly reserved_bytes: number;
  readonly reserved_files: number;
}

const usageColumns = 'bytes, files, reserved_bytes, reserved_files';
const insertColumns = ['disk', 'uid', 'bytes', 'files', 'reserved_bytes', 'reserved_files'] as const;

/** What a user has on a disk; undefined before the first file. */
export async function readUsage(sql: SqlExecutor, disk: string, uid: string): Promise<Usage | undefined> {
  const query = `select ${usageColumns} from fs_usage where disk = ? and uid = ?`;
  const row = await firstRow<UsageRow>(sql, query, [disk, uid]);
  return (
    row && {
      bytes: row.bytes,
      files: row.files,
      reservedBytes: row.reserved_bytes,
      reservedFiles: row.reserved_files,
    }
  );
}

/** The condition is part of the update, which sees what others have committed: two changes never fill the same gap. */
async function changeUsage(tx: SqlExecutor, { disk, uid, change }: UserChange, quota: Quota): Promise<void> {
  const limits: [string, number][] = [];
  if (quota.maxBytes !== undefined && bytesAdded(change) > 0) {
    limits.push(['bytes + reserved_bytes', quota.maxBytes - bytesAdded(change)]);
  }
  if (quota.maxFiles !== undefined && filesAdded(change) > 0) {
    limits.push(['files + reserved_files', quota.maxFiles - filesAdded(change)]);
  }
  const added: SqlValue[] = [change.bytes, change.files, change.reservedBytes, change.reservedFiles];
  const changed = await tx.run(
    `update fs_usage set bytes = bytes + ?, files = files + ?, reserved_bytes = reserved_bytes + ?,
      reserved_files = reserved_files + ? where disk = ? and uid = ?${limits.map(([sum]) => ` and ${sum} <= ?`).join('')}`,
    [...added, disk, uid, ...limits.map(([, most]) => most)],
  );
  if (changed === 1) {
    return;
  }
  const now = await readUsage(tx, disk, uid);
  const beyond = limitBeyond(quota, now ?? noUsage, change);
  if (beyond !== undefined) {
    throw diskQuotaExceeded(disk, beyond);
  }
  if (now !== undefined) {
    // It has changed in between.
    throw new Overtaken(disk);
  }
  try {
    await insertRows(tx, 'fs_usage', insertColumns, [[disk, uid, ...added]]);
  } catch (error) {
    throw isUniqueViolation(error) ? new Overtaken(disk) : error;
  }
}
