import { FileError, fileExists, fileNotFound, pathUnusable } from '../domain/disk/file-errors.ts';
import type { DiskNode, DiskPage } from '../domain/disk/file-store.ts';
import { tooManyChanges } from '../domain/layer/layer-errors.ts';
import { maxPathsPerChange } from '../domain/layer/layer-trees.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { MountedFiles } from './mounted-files.ts';
import { fixedDirectory, type ViewTree } from './view-tree.ts';

/** A path to copy. */
export interface CopyItem {
  readonly from: VirtualPath;
  readonly to: VirtualPath;
  readonly node: DiskNode;
}

export interface CopyPlan {
  readonly source: MountedFiles;
  /** What is copied. */
  readonly top: CopyItem;
  /** What is in it, each directory before what is in it. */
  readonly below: readonly CopyItem[];
}

const pageSize = 500;

/**
 * All that is copied, if its caller may read it and write it there. Throws FILE_NOT_FOUND, FILE_EXISTS where nothing can be,
 * NOT_GRANTED, PATH_PROTECTED, MOUNT_READ_ONLY, TOO_MANY_CHANGES, or PATH_INVALID for a directory in which mounts lie and for
 * a path below `from`.
 */
export async function planCopy(
  tree: ViewTree,
  from: VirtualPath,
  to: VirtualPath,
  signal: AbortSignal,
): Promise<CopyPlan> {
  const source = tree.filesAt(from);
  const { view } = tree;
  if (source === undefined || view.fixedNames(from).length > 0) {
    throw pathUnusable(from, 'mounts lie in it: copy what is in them');
  }
  const node = view.isFixed(from) ? fixedDirectory : await source.stat(from, signal);
  if (node === undefined) {
    throw fileNotFound(from);
  }
  if (view.isFixed(to) || to.equals(from)) {
    throw fileExists(to);
  }
  if (to.isWithin(from)) {
    throw pathUnusable(to, 'it lies within what is copied');
  }
  tree.diskToChange(to);
  const below: CopyItem[] = [];
  for await (const item of node.kind === 'directory' ? walk(source, from, signal) : []) {
    const copied = item.path.relativeTo(from).below(to);
    tree.assertMay('read', item.path);
    tree.diskToChange(copied);
    below.push({ from: item.path, to: copied, node: item.node });
    if (below.length >= maxPathsPerChange) {
      throw tooManyChanges(maxPathsPerChange);
    }
  }
  return { source, top: { from, to, node }, below };
}

/** All below a directory, whoever may see it. */
async function* walk(
  files: MountedFiles,
  directory: VirtualPath,
  signal: AbortSignal,
): AsyncGenerator<{ readonly path: VirtualPath; readonly node: DiskNode }> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: DiskPage = await pageOf(files, directory, after, signal);
    for (const { name, node } of page.entries) {
      const path = directory.entry(name);
      if (path !== undefined) {
        yield { path, node };
        if (node.kind === 'directory') {
          yield* walk(files, path, signal);
        }
      }
    }
    after = page.next;
  }
}

async function pageOf(
  files: MountedFiles,
  directory: VirtualPath,
  after: string,
  signal: AbortSignal,
): Promise<DiskPage> {
  try {
    return await files.list(directory, { after, limit: pageSize, withEtags: false }, signal);
  } catch (error) {
    // A mount is there before anything was written to its disk.
    if (error instanceof FileError && error.reason === 'FILE_NOT_FOUND' && directory.equals(files.mount.path)) {
      return { entries: [], next: undefined };
    }
    throw error;
  }
}
