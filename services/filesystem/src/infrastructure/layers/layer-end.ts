import type { Clock, IdGenerator, RunId } from '@spanwise/kernel';
import { type Database, firstRow, insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import { z } from 'zod';
import type { TreePublication } from '../../application/ports/layers.ts';
import type { Change } from '../../domain/change/change.ts';
import type { LayerState } from '../../domain/layer/layer-entry.ts';
import { type CommitAnswer, type Conflict, maxListed, type TreeItem } from '../../domain/layer/publishing.ts';
import { compareNames } from '../../domain/path/name-order.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { SessionView } from '../../domain/view/session-view.ts';
import type { BlobPlace } from '../blobs/blob-place.ts';
import { holdDriver } from '../changes/session-fence.ts';
import { changeBlobUses } from '../disks/tree/blobs.ts';
import { againWhenOvertaken, Overtaken } from '../disks/tree/overtaken.ts';
import { TreeChange } from '../disks/tree/tree-change.ts';
import { TreePublish } from '../disks/tree/tree-publish.ts';
import { type Quotas, UsageChanges } from '../usage/usage-changes.ts';
import { deleteEntries, hashesOf, type LayerLimits } from './layer-change.ts';
import { forgetReservations, releasedReservations } from './layer-reservations.ts';
import { SqlLayerRows } from './sql-layer-rows.ts';

export interface SqlLayersDeps {
  readonly database: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'traceId'>;
  readonly limits: LayerLimits;
  /** What users may have on disks. */
  readonly quotas: Quotas;
  /** Where content lies; default: all of it in the database. */
  readonly blobs?: BlobPlace | undefined;
}

const storedPath = z.string().transform((text) => VirtualPath.parse(text));

const storedAnswerSchema = z.object({
  result: z.enum(['PUBLISHED', 'PARTIAL', 'CONFLICT', 'ROLLED_BACK']),
  conflicts: z.array(z.object({ path: storedPath, baseEtag: z.string(), currentEtag: z.string() })),
  unpublished: z.array(storedPath),
  changes: z.number(),
});

/** An answer as it is stored. */
export function answerOf({ conflicts, unpublished, ...answer }: CommitAnswer): string {
  return JSON.stringify({
    ...answer,
    conflicts: conflicts.slice(0, maxListed).map((conflict) => ({ ...conflict, path: conflict.path.text })),
    unpublished: unpublished.slice(0, maxListed).map(({ text }) => text),
  });
}

export async function storedAnswer(sql: SqlExecutor, viewId: RunId): Promise<CommitAnswer | undefined> {
  const row = await firstRow<{ result: string | null }>(sql, 'select result from fs_layers where view_id = ?', [
    viewId,
  ]);
  return typeof row?.result === 'string' ? storedAnswerSchema.parse(JSON.parse(row.result)) : undefined;
}

/** Thrown to leave a transaction of which nothing may remain. */
class ConflictsMet extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('conflicts');
    this.conflicts = conflicts;
  }
}

/** Thrown when the layer is not what was decided on any more. */
class Moved extends Overtaken {
  constructor() {
    super('of the layer');
  }
}

const maxAttempts = 100;

/** See `ViewLayer.publish`. */
export async function commitLayer(
  deps: SqlLayersDeps,
  view: SessionView,
  change: Change,
  publication: TreePublication,
): Promise<readonly Conflict[] | 'moved'> {
  return againWhenOvertaken(maxAttempts, async () => {
    try {
      await deps.database.transaction((tx) => publishIn(deps, view, change, publication, tx));
      return [];
    } catch (error) {
      if (error instanceof ConflictsMet) {
        return keepConflicts(deps, view, change, publication.version, error.conflicts);
      }
      if (error instanceof Moved) {
        return 'moved';
      }
      throw error;
    }
  });
}

async function publishIn(
  deps: SqlLayersDeps,
  view: SessionView,
  change: Change,
  { version, items, known, overwrites, next }: TreePublication,
  tx: SqlExecutor,
): Promise<void> {
  await holdDriver(tx, deps.database.dialect, change);
  await setState(deps, view.id, tx, { version, to: next.state, answer: next.answer });
  const conflicts: Conflict[] = [...known];
  const released: string[] = [];
  const usage = new UsageChanges();
  for (const [disk, ofDisk] of byDisk(items)) {
    const head = await TreeChange.begin({ name: disk, clock: deps.clock, ids: deps.ids, uid: view.uid }, tx);
    const done = await TreePublish.run(head, ofDisk, { pin: view.pins?.get(disk) ?? 0, overwrites });
    conflicts.push(...done.conflicts);
    released.push(...done.unused);
    usage.addAll(head.usage);
  }
  if (conflicts.length > 0) {
    throw new ConflictsMet(conflicts.toSorted((left, right) => compareNames(left.path.text, right.path.text)));
  }
  // What was reserved is used now, as far as it is more than what was there.
  usage.addAll(await releasedReservations(tx, view.id));
  const paths = items.map(({ entry }) => entry.path);
  if (next.state === 'PUBLISHED') {
    await tx.run('delete from fs_layer_nodes where view_id = ?', [view.id]);
  } else {
    await deleteEntries(tx, view.id, paths);
    await forgetReservations(tx, view.id);
  }
  await usage.apply(tx, deps.quotas);
  // What is published keeps the uses that it had in the layer.
  await changeBlobUses(tx, [], released);
}

/** The disks in the order of their names, so that no two transactions wait for each other. */
function byDisk(items: readonly TreeItem[]): [string, TreeItem[]][] {
  const disks = new Map<string, TreeItem[]>();
  for (const item of items) {
    const ofDisk = disks.get(item.disk) ?? [];
    ofDisk.push(item);
    disks.set(item.disk, ofDisk);
  }
  return [...disks].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

async function keepConflicts(
  deps: SqlLayersDeps,
  view: SessionView,
  change: Change,
  version: number,
  conflicts: readonly Conflict[],
): Promise<readonly Conflict[] | 'moved'> {
  const answer: CommitAnswer = { result: 'CONFLICT', conflicts, unpublished: [], changes: 0 };
  try {
    await deps.database.transaction(async (tx) => {
      await holdDriver(tx, deps.database.dialect, change);
      await setState(deps, view.id, tx, { version, to: 'CONFLICT', answer });
    });
    return conflicts;
  } catch (error) {
    if (error instanceof Moved) {
      return 'moved';
    }
    throw error;
  }
}

/** See `ViewLayer.rollBack`. */
export async function dropLayer(
  deps: SqlLayersDeps,
  view: SessionView,
  change: Change,
  answer: CommitAnswer,
): Promise<LayerState> {
  return againWhenOvertaken(maxAttempts, () =>
    deps.database.transaction(async (tx) => {
      await holdDriver(tx, deps.database.dialect, change);
      const rows = new SqlLayerRows(view.id, tx);
      const { state, version } = await rows.head();
      if (state !== 'OPEN' && state !== 'CONFLICT') {
        return state;
      }
      await setState(deps, view.id, tx, { version, to: 'ROLLED_BACK', answer });
      const entries = await rows.all();
      const usage = await releasedReservations(tx, view.id);
      await tx.run('delete from fs_layer_nodes where view_id = ?', [view.id]);
      await tx.run('delete from fs_outputs where view_id = ?', [view.id]);
      await usage.apply(tx, deps.quotas);
      await changeBlobUses(tx, [], entries.flatMap(hashesOf));
      return 'ROLLED_BACK';
    }),
  );
}

interface StateChange {
  /** The version that it was decided on. */
  readonly version: number;
  readonly to: LayerState;
  readonly answer: CommitAnswer;
}

async function setState(
  { clock }: { readonly database: Database; readonly clock: SqlLayersDeps['clock'] },
  viewId: RunId,
  tx: SqlExecutor,
  { version, to, answer }: StateChange,
): Promise<void> {
  const isOver = to === 'PUBLISHED' || to === 'ROLLED_BACK';
  const emptied = isOver ? ', bytes = 0, entries = 0' : '';
  const changed = await tx.run(
    `update fs_layers set version = version + 1, state = ?, result = ?, change_time_ms = ?${emptied}
      where view_id = ? and version = ? and state in ('OPEN', 'CONFLICT')`,
    [to, answerOf(answer), clock.nowMs(), viewId, version],
  );
  if (changed === 1) {
    return;
  }
  if (version > 0) {
    throw new Moved();
  }
  // A layer in which nothing was changed has no row.
  const columns = ['view_id', 'state', 'version', 'bytes', 'entries', 'result', 'change_time_ms'];
  try {
    await insertRows(tx, 'fs_layers', columns, [[viewId, to, 1, 0, 0, answerOf(answer), clock.nowMs()]]);
  } catch (error) {
    throw isUniqueViolation(error) ? new Moved() : error;
  }
}
