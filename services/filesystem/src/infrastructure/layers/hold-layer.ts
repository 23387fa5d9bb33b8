import type { RunId } from '@spanwise/kernel';
import type { SqlExecutor } from '@spanwise/persistence';

/** Holds a layer until the transaction ends: what two take out of it at the same moment would be released twice. */
export async function holdLayer(tx: SqlExecutor, viewId: RunId): Promise<void> {
  await tx.run('update fs_layers set version = version where view_id = ?', [viewId]);
}
