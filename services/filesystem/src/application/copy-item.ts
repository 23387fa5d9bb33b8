import type { Change } from '../domain/change/change.ts';
import { fileExists } from '../domain/disk/file-errors.ts';
import type { DiskNode, FileNode, FileStore, WriteGuard } from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { nodeWith, readWhole } from './file-content.ts';
import type { MountedDisk } from './mounted-disk.ts';
import type { MountedFiles } from './mounted-files.ts';
import type { CopyItem } from './plan-copy.ts';
import type { Changes } from './ports/changes.ts';
import { isGuardBroken, writeOnce } from './write-once.ts';

export interface CopyItemDeps {
  readonly changes: Changes;
  readonly source: MountedFiles;
  readonly target: MountedDisk;
  /** True: the item may have been copied before, by who died before it could tell. */
  readonly mayBeRepeated: boolean;
  readonly signal: AbortSignal;
}

/**
 * Copies one file or makes one directory, in one change. What is read is read before it, because transactions wait for
 * nothing. Throws FILE_EXISTS, FILE_NOT_FOUND or FILE_TOO_LARGE.
 */
export async function copyItem(deps: CopyItemDeps, change: Change, item: CopyItem): Promise<DiskNode> {
  const { changes, target, signal } = deps;
  const copy = item.node.kind === 'file' ? await fileCopy(deps, item) : directoryCopy(deps, item.to);
  return (await changes.make(change, target.store, copy, signal)).answer;
}

type Effect = (store: FileStore) => Promise<DiskNode>;

function directoryCopy({ target, signal }: CopyItemDeps, to: VirtualPath): Effect {
  return (store) => target.on(store).makeDirectory(to, signal);
}

async function fileCopy(deps: CopyItemDeps, { from, to }: CopyItem): Promise<Effect> {
  const { source, target, signal } = deps;
  const blob = target.takesBlobs ? await source.blobAt(from, signal) : undefined;
  if (blob !== undefined) {
    return (store) => copyBlob(deps, target.on(store), to, blob);
  }
  const { data } = await readWhole(source, from, signal);
  return (store) => copyBytes(deps, target.on(store), to, data);
}

async function copyBlob(
  { mayBeRepeated, signal }: CopyItemDeps,
  on: MountedDisk,
  to: VirtualPath,
  { etag, size }: FileNode,
): Promise<DiskNode> {
  try {
    return (await on.writeStored(to, { etag, size }, { createOnly: true }, signal)).node;
  } catch (error) {
    const there = mayBeRepeated && isGuardBroken(error) ? await on.stat(to, signal) : undefined;
    if (there?.kind === 'file' && there.etag === etag) {
      return there;
    }
    throw error;
  }
}

async function copyBytes(
  { mayBeRepeated, signal }: CopyItemDeps,
  on: MountedDisk,
  to: VirtualPath,
  data: Uint8Array,
): Promise<DiskNode> {
  const { createOnly } = on.store.capabilities;
  // Without create_only there is a moment between the look and the write.
  if (!createOnly && (await on.stat(to, signal)) !== undefined) {
    const own = mayBeRepeated ? await nodeWith(on, to, data, signal) : undefined;
    if (own !== undefined) {
      return own;
    }
    throw fileExists(to);
  }
  const guard: WriteGuard = createOnly ? { createOnly: true } : {};
  return (await writeOnce(on, to, { data, ...guard, mayBeRepeated }, signal)).node;
}
