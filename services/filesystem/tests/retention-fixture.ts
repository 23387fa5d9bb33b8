import { type Clock, systemClock } from '@spanwise/kernel';
import { Retain, type RetainDeps, type Retained } from '../src/application/retain.ts';
import type { Disks } from '../src/application/view-disks.ts';
import { SqlRetentionRepository } from '../src/infrastructure/retention/sql-retention-repository.ts';
import type { LayersFixture, OpenedView } from './layers-fixture.ts';
import type { TestDatabase } from './stores-under-test.ts';

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;

/** A clock that is ahead of the one that everything else goes by. */
function clockAhead(ms: number): Pick<Clock, 'nowMs'> {
  return { nowMs: () => systemClock.nowMs() + ms };
}

/** The view of a run that begins now: the clock of the fixture stands still, long ago. */
export async function openedRun({ sql }: TestDatabase['first'], files: LayersFixture): Promise<OpenedView> {
  const run = await files.open(true);
  await sql.run('update fs_views set create_time_ms = ? where id = ?', [systemClock.nowMs(), run.viewId]);
  return run;
}

export interface RetainOptions extends Partial<Pick<RetainDeps, 'sweeps'>> {
  /** How much later than now it is; default an hour. */
  readonly aheadMs?: number;
  readonly signal?: AbortSignal;
}

/** One look at what is not to be kept, by each of the databases that are given: all at once. */
export async function retained(
  databases: readonly TestDatabase['first'][],
  disks: Disks,
  { aheadMs = 60 * minuteMs, signal = new AbortController().signal, ...options }: RetainOptions = {},
): Promise<readonly Retained[]> {
  const onError = (error: unknown) => {
    throw error;
  };
  return Promise.all(
    databases.map(({ sql }) => {
      const retention = new SqlRetentionRepository(sql);
      return new Retain({ retention, disks, clock: clockAhead(aheadMs), onError, ...options }).execute(signal);
    }),
  );
}

/** Blobs whose number of uses is not that of the rows that use them; what no row uses must not be there. */
export async function miscounted({ sql }: TestDatabase['first']): Promise<unknown> {
  const used = `select blob_hash from fs_nodes where kind = 'f' union all select blob_hash from fs_versions where kind = 'f'
    union all select blob_hash from fs_layer_nodes where kind = 'f'`;
  const wrong = await sql.all(
    `select hash, uses, (select count(*) from (${used}) u where u.blob_hash = hash) as used from fs_blobs
      where uses <> (select count(*) from (${used}) u where u.blob_hash = hash) or uses = 0`,
    [],
  );
  const missing = await sql.all(
    `select blob_hash from (${used}) u left join fs_blobs b on b.hash = u.blob_hash where b.hash is null`,
    [],
  );
  const chunks = 'select c.hash from fs_blob_chunks c left join fs_blobs b on b.hash = c.hash where b.hash is null';
  return { wrong, missing, chunks: await sql.all(chunks, []) };
}

export const allCounted: unknown = { wrong: [], missing: [], chunks: [] };
