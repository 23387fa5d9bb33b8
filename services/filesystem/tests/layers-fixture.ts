import { brandId, type RunId, randomIds, type SessionId, systemClock } from '@spanwise/kernel';
import type { Caller } from '../src/domain/disk/caller.ts';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { quotasOf } from '../src/domain/usage/metered-store.ts';
import type { Quota } from '../src/domain/usage/usage.ts';
import type { MountTemplate } from '../src/domain/view/mount-template.ts';
import { SqlChanges } from '../src/infrastructure/changes/sql-changes.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { defaultLayerLimits, type LayerLimits } from '../src/infrastructure/layers/layer-change.ts';
import { SqlLayers } from '../src/infrastructure/layers/sql-layers.ts';
import { MikroOrmViewRepository } from '../src/infrastructure/persistence/mikro-orm-view-repository.ts';
import { SqlOutputLog } from '../src/infrastructure/persistence/sql-output-log.ts';
import { ada, filesFixture, mount, never, utf8 } from './files-fixture.ts';
import type { TestDatabase } from './stores-under-test.ts';

const ids = randomIds();
let made = 0;

export interface LayersOptions {
  readonly mounts?: readonly MountTemplate[];
  /** Beside the tree disk `work`. */
  readonly disks?: ReadonlyMap<string, FileStore>;
  readonly limits?: Partial<LayerLimits>;
  /** Of the tree disk. */
  readonly quota?: Quota;
  /** Name of the tree disk, for one that is there already; default a new one. */
  readonly name?: string;
}

/** The use cases on a tree disk of their own in a database that tests share, with layers. */
export async function layersFixture(
  { first, blobs: places }: Pick<TestDatabase, 'first' | 'blobs'>,
  options: LayersOptions = {},
) {
  made += 1;
  const { sql } = first;
  const blobs = places?.first;
  const { name = `layers-${made}` } = options;
  const tree = new TreeDisk({ name, database: sql, blobs, clock: systemClock, ids, quota: options.quota });
  const names = new Map<string, FileStore>([[name, tree], ...(options.disks ?? [])]);
  const mounts = (options.mounts ?? [mount('/workspace', { isOutput: true })]).map((template) => ({
    ...template,
    sources: template.sources.map((source) => (source.disk === 'work' ? { ...source, disk: name } : source)),
  })) as unknown as readonly MountTemplate[];
  const files = await filesFixture({
    mounts,
    disks: names,
    changes: new SqlChanges({ database: sql, clock: systemClock }),
    repository: new MikroOrmViewRepository({ database: first }),
    outputs: new SqlOutputLog({ database: sql }),
    layers: new SqlLayers({
      database: sql,
      blobs,
      clock: systemClock,
      ids,
      limits: { ...defaultLayerLimits, ...options.limits },
      quotas: quotasOf(names),
    }),
  });
  /** A view of a session of its own unless told otherwise; with a layer for a run. */
  const open = async (hasLayer: boolean, { sessionId = ids.uuid(), caller = ada } = {}) => {
    const viewId = brandId<RunId>(ids.uuid());
    await files.openView.execute(caller, { viewId, sessionId: brandId<SessionId>(sessionId), hasLayer });
    return viewOf(files, viewId, caller, sessionId);
  };
  /** A view that is open already. */
  const view = (viewId: RunId, sessionId: string, caller = ada) => viewOf(files, viewId, caller, sessionId);
  return { ...files, tree, disk: name, open, view };
}

export type LayersFixture = Awaited<ReturnType<typeof layersFixture>>;
export type OpenedView = Awaited<ReturnType<LayersFixture['open']>>;

/** A view with short ways to use it. Changes have epoch 1. */
function viewOf(files: Awaited<ReturnType<typeof filesFixture>>, viewId: RunId, caller: Caller, sessionId: string) {
  const change = { viewId, epoch: 1 };
  return {
    viewId,
    sessionId: brandId<SessionId>(sessionId),
    put: async (path: string, text: string, guard: { ifMatch?: string; createOnly?: boolean } = {}) =>
      (await files.writeFile.execute(caller, { ...change, path, data: utf8(text), ...guard }, never)).node,
    remove: (path: string) => files.delete.execute(caller, { ...change, path, isRecursive: true }, never),
    makeDirectory: (path: string) => files.makeDirectory.execute(caller, { ...change, path }, never),
    move: (fromPath: string, toPath: string) => files.move.execute(caller, { ...change, fromPath, toPath }, never),
    text: async (path: string) => {
      const { data } = await files.readFile.execute(caller, { viewId, path, offset: 0, length: 0 }, never);
      return new TextDecoder().decode(data);
    },
    commit: (overwrites = false, epoch = 1) =>
      files.commitRun.execute(caller, { viewId, epoch, overwrites }, never).then(briefly),
    rollBack: (epoch = 1) => files.rollbackRun.execute(caller, { viewId, epoch }),
    diff: async () => {
      const page = await files.diffRun.execute(caller, { viewId, pageSize: 1000, pageToken: '' });
      return { ...page, changes: page.changes.map(({ path, node, base }) => `${path.text} ${node.kind} ${base.kind}`) };
    },
    outputs: async () => {
      const page = await files.listOutputs.execute(caller, { viewId, pageSize: 1000, pageToken: '' }, never);
      return page.files.map(({ path }) => path.text);
    },
    /** All that is seen: content of files, null for directories. */
    all: (top = '/workspace') => allOf(files, caller, viewId, VirtualPath.parse(top)),
  };
}

type Committed = Awaited<ReturnType<Awaited<ReturnType<typeof filesFixture>>['commitRun']['execute']>>;

function briefly({ result, changes, conflicts, unpublished, outputs }: Committed) {
  return {
    result,
    changes,
    conflicts: conflicts.map(({ path }) => path.text),
    unpublished: unpublished.map(({ text }) => text),
    outputs: outputs.map(({ path }) => path.text),
  };
}

async function allOf(
  files: Awaited<ReturnType<typeof filesFixture>>,
  caller: Caller,
  viewId: RunId,
  top: VirtualPath,
): Promise<Record<string, string | null>> {
  const all: Record<string, string | null> = {};
  const { entries } = await files.list.execute(
    caller,
    { viewId, path: top.text, pageSize: 1000, pageToken: '' },
    never,
  );
  for (const { path, node } of entries) {
    if (node.kind === 'file') {
      const { data } = await files.readFile.execute(caller, { viewId, path: path.text, offset: 0, length: 0 }, never);
      all[path.text] = new TextDecoder().decode(data);
    } else {
      all[path.text] = null;
      Object.assign(all, await allOf(files, caller, viewId, path));
    }
  }
  return all;
}
