import { brandId, type RunId, randomIds, type SessionId, systemClock, type Uid } from '@spanwise/kernel';
import type { OpenDatabase } from '@spanwise/persistence';
import type { MountedDisk } from '../src/application/mounted-disk.ts';
import { ViewDisks } from '../src/application/view-disks.ts';
import type { Caller } from '../src/domain/disk/caller.ts';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import type { Mount } from '../src/domain/view/mount.ts';
import { SessionView } from '../src/domain/view/session-view.ts';
import type { BlobPlace } from '../src/infrastructure/blobs/blob-place.ts';
import { isTransactional } from '../src/infrastructure/changes/transactional-store.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { defaultLayerLimits } from '../src/infrastructure/layers/layer-change.ts';
import { SqlLayers } from '../src/infrastructure/layers/sql-layers.ts';
import { memoryStore, type StoreUnderTest, type TestDatabase, treeStore } from './stores-under-test.ts';

const ids = randomIds();
const top = VirtualPath.root;

/** What is behind the mount of a view. */
export type Behind = 'tree' | 'memory' | 'union';

/** The files at a mount as a run changes them, or as a client does who changes a union itself, as a disk of its own. */
export async function mountedStore(database: TestDatabase, behind: Behind, hasLayer: boolean): Promise<StoreUnderTest> {
  const memory = await memoryStore();
  const { name } = treeStore(database);
  const names = { tree: [name], memory: ['memory'], union: [name, 'memory'] }[behind];
  const sourceOf = (disk: string, priority: number) => {
    return { disk, remote: VirtualPath.root, priority, isOptional: false };
  };
  const [first = name, ...others] = names;
  const mount: Mount = {
    path: top,
    sources: [sourceOf(first, 2), ...others.map((disk) => sourceOf(disk, 1))],
    isReadOnly: false,
    isOutput: false,
  };
  const view = new SessionView({
    id: brandId<RunId>(ids.uuid()),
    uid: brandId<Uid>('ada'),
    sessionId: brandId<SessionId>(ids.uuid()),
    mounts: [mount],
    createTimeMs: 0,
    pins: hasLayer ? new Map(names.filter((each) => each === name).map((each) => [each, 0])) : undefined,
  });
  const on = ({ sql }: OpenDatabase, blobs: BlobPlace | undefined) => {
    const layers = new SqlLayers({
      database: sql,
      blobs,
      clock: systemClock,
      ids,
      limits: defaultLayerLimits,
      quotas: new Map(),
    });
    const disks = new Map<string, FileStore>([
      [name, new TreeDisk({ name, database: sql, blobs, clock: systemClock, ids })],
      ['memory', memory.store],
    ]);
    return seenFrom(async (caller) => {
      const layer = hasLayer ? layers.of(view) : undefined;
      const opened = layer && { layer, head: await layer.head() };
      const disk = new ViewDisks(view, caller, { disks, layers, layer: opened }).toChange(mount);
      if (disk === undefined) {
        throw new TypeError('the mount can not be changed');
      }
      return disk;
    });
  };
  const { blobs } = database;
  return {
    store: on(database.first, blobs?.first),
    replica: on(database.second, blobs?.second),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The mount at the root of a view as a disk. */
function seenFrom(open: (caller: Caller) => Promise<MountedDisk>): FileStore {
  const on = async <Result>(caller: Caller, signal: AbortSignal, work: (disk: MountedDisk) => Promise<Result>) => {
    signal.throwIfAborted();
    return work(await open(caller));
  };
  return {
    capabilities: { ifMatch: true, createOnly: true, atomic: true },
    stat: (caller, path, signal) => on(caller, signal, (disk) => disk.stat(path, signal)),
    list: (caller, path, request, signal) => on(caller, signal, (disk) => disk.list(path, request, signal)),
    read: (caller, path, range, signal) => on(caller, signal, (disk) => disk.read(path, range, signal)),
    write: (caller, path, data, guard, signal) =>
      on(caller, signal, (disk) => inTransaction(disk, (within) => within.write(path, data, guard, signal), signal)),
    remove: (caller, path, request, signal) =>
      on(caller, signal, (disk) => inTransaction(disk, (within) => within.remove(path, request, signal), signal)),
    rename: (caller, from, to, signal) =>
      on(caller, signal, (disk) => inTransaction(disk, (within) => within.rename(from, to, within, signal), signal)),
    makeDirectory: (caller, path, signal) =>
      on(caller, signal, (disk) => inTransaction(disk, (within) => within.makeDirectory(path, signal), signal)),
  };
}

/** A change as use cases make it: decided again when another one came in between. */
function inTransaction<Result>(
  disk: MountedDisk,
  effect: (within: MountedDisk) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const { store } = disk;
  if (!isTransactional(store)) {
    return effect(disk);
  }
  const nothing = async () => undefined;
  const transaction = {
    before: nothing,
    effect: async (within: FileStore) => ({ result: await effect(disk.on(within)) }),
    after: async (_tx: unknown, answer: { result: Result }) => answer,
  };
  return store.transact(transaction, signal).then(({ result }) => result);
}
