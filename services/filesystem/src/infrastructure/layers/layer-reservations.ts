import type { RunId } from '@spanwise/kernel';
import type { SqlExecutor, SqlRow } from '@spanwise/persistence';
import { UsageChanges } from '../usage/usage-changes.ts';

interface ReservationRow extends SqlRow {
  readonly uid: string;
  readonly disk: string;
  /** MySQL tells sums as text. */
  readonly bytes: number | string;
  readonly files: number | string;
}

/**
 * What ends when the files of a layer leave it: the reservations of its user on the disks that it would have been published
 * to. To be read while the layer is held, before its rows are deleted.
 */
export async function releasedReservations(tx: SqlExecutor, viewId: RunId): Promise<UsageChanges> {
  const rows = await tx.all<ReservationRow>(
    `select v.uid, n.disk, sum(n.size) as bytes, count(*) as files from fs_layer_nodes n join fs_views v on v.id = n.view_id
      where n.view_id = ? and n.kind = 'f' and n.disk <> '' group by v.uid, n.disk`,
    [viewId],
  );
  const released = new UsageChanges();
  for (const { uid, disk, bytes, files } of rows) {
    released.add(disk, uid, { reservedBytes: -Number(bytes), reservedFiles: -Number(files) });
  }
  return released;
}

/** For a layer that keeps entries of other disks after its tree disks are published: they reserve nothing. */
export async function forgetReservations(tx: SqlExecutor, viewId: RunId): Promise<void> {
  await tx.run("update fs_layer_nodes set disk = '' where view_id = ? and disk <> ''", [viewId]);
}
