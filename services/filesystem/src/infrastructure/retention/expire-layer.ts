import type { RunId } from '@spanwise/kernel';
import { type Database, firstRow, type SqlExecutor, type SqlRow } from '@spanwise/persistence';
import { isChange } from '../../domain/layer/layer-entry.ts';
import type { CommitAnswer } from '../../domain/layer/publishing.ts';
import { changeBlobUses } from '../disks/tree/blobs.ts';
import { holdLayer } from '../layers/hold-layer.ts';
import { answerOf, storedAnswer } from '../layers/layer-end.ts';
import { forgetReservations, releasedReservations } from '../layers/layer-reservations.ts';
import { SqlLayerRows } from '../layers/sql-layer-rows.ts';

/** Rows of a layer that one transaction deletes. */
const batch = 256;

interface StateRow extends SqlRow {
  readonly state: string;
  readonly change_time_ms: number;
}

/**
 * See `RetentionRepository.expire`. Its rows are many, and go later; until then `entries` tells that there are some. Nobody
 * sees them: the view is over.
 */
export function expireLayer(database: Database, viewId: RunId, beforeMs: number, nowMs: number): Promise<boolean> {
  return database.transaction(async (tx) => {
    await holdLayer(tx, viewId);
    const row = await firstRow<StateRow>(tx, 'select state, change_time_ms from fs_layers where view_id = ?', [viewId]);
    const isWaiting = row?.state === 'CONFLICT' || row?.state === 'PUBLISHING';
    if (row === undefined || !isWaiting || row.change_time_ms > beforeMs) {
      return false;
    }
    const state = row.state === 'CONFLICT' ? 'ROLLED_BACK' : 'PUBLISHED';
    const answer = await (state === 'ROLLED_BACK' ? droppedAnswer(tx, viewId) : partialAnswer(tx, viewId));
    await tx.run(
      'update fs_layers set version = version + 1, state = ?, result = ?, bytes = 0, change_time_ms = ? where view_id = ?',
      [state, answerOf(answer), nowMs, viewId],
    );
    if (state === 'ROLLED_BACK') {
      await tx.run('delete from fs_outputs where view_id = ?', [viewId]);
    }
    const usage = await releasedReservations(tx, viewId);
    await forgetReservations(tx, viewId);
    // What only falls is within every quota.
    await usage.apply(tx, new Map());
    return true;
  });
}

/** See `RetentionRepository.emptyLayer`. */
export function emptyLayer(database: Database, viewId: RunId): Promise<boolean> {
  return database.transaction(async (tx) => {
    await holdLayer(tx, viewId);
    const rows = await tx.all<{ path_hash: string; kind: string; blob_hash: string }>(
      `select path_hash, kind, blob_hash from fs_layer_nodes where view_id = ? order by path_hash limit ${batch}`,
      [viewId],
    );
    const last = rows.at(-1);
    if (last === undefined) {
      await tx.run('update fs_layers set entries = 0 where view_id = ?', [viewId]);
      return false;
    }
    await tx.run('delete from fs_layer_nodes where view_id = ? and path_hash <= ?', [viewId, last.path_hash]);
    const hashes = rows.flatMap(({ kind, blob_hash: hash }) => (kind === 'f' ? [hash] : []));
    await changeBlobUses(tx, [], hashes);
    return true;
  });
}

async function droppedAnswer(tx: SqlExecutor, viewId: RunId): Promise<CommitAnswer> {
  const changes = (await new SqlLayerRows(viewId, tx).all()).filter(isChange).length;
  return { result: 'ROLLED_BACK', conflicts: [], unpublished: [], changes };
}

/** What is left was for disks that did not answer, or did not take it. */
async function partialAnswer(tx: SqlExecutor, viewId: RunId): Promise<CommitAnswer> {
  const left = (await new SqlLayerRows(viewId, tx).all()).filter(isChange).map(({ path }) => path);
  const { changes = left.length } = (await storedAnswer(tx, viewId)) ?? {};
  return { result: left.length > 0 ? 'PARTIAL' : 'PUBLISHED', conflicts: [], unpublished: left, changes };
}
