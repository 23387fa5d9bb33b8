import { FileError } from '../domain/disk/file-errors.ts';
import type { FileNode } from '../domain/disk/file-store.ts';
import { compareNames } from '../domain/path/name-order.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { Pacer } from './pacer.ts';
import type { TreePage, ViewTree } from './view-tree.ts';

/** A file of a view. */
export interface FoundFile {
  readonly path: VirtualPath;
  readonly node: FileNode;
}

export interface WalkOptions {
  /** How many segments below the top a file lies at most. */
  readonly maxDepth: number;
  readonly pacer: Pacer;
}

/** Entries of a directory that are held at once; a walk holds one page for each directory on its way. */
const pageSize = 256;

/**
 * All files below a directory, in byte order of their paths, over all mounts but those that are set aside. Etags may be left empty. What vanishes
 * meanwhile is left out; the directory itself may be missing or be none, which is an empty walk.
 */
export async function* walkFiles(
  tree: ViewTree,
  directory: VirtualPath,
  { maxDepth, pacer }: WalkOptions,
  signal: AbortSignal,
): AsyncGenerator<FoundFile> {
  // In byte order `a.txt` comes before `a/b`: a directory waits until no name is left that sorts before its files.
  const waiting: string[] = [];
  async function* enter(before: string | undefined): AsyncGenerator<FoundFile> {
    for (
      let name = waiting.at(-1);
      name !== undefined && (before === undefined || compareNames(`${name}/`, before) < 0);
      name = waiting.at(-1)
    ) {
      waiting.pop();
      yield* walkFiles(tree, directory.child(name), { maxDepth: maxDepth - 1, pacer }, signal);
    }
  }

  let after: string | undefined = '';
  while (after !== undefined) {
    await pacer.pause();
    const page: TreePage = await pageOf(tree, directory, after, signal);
    for (const { name, path, node } of page.entries) {
      yield* enter(name);
      if (node.kind === 'file') {
        yield { path, node };
      } else if (maxDepth > 1 && !tree.view.isSetAside(path)) {
        waiting.push(name);
      }
    }
    after = page.next;
  }
  yield* enter(undefined);
}

async function pageOf(tree: ViewTree, directory: VirtualPath, after: string, signal: AbortSignal): Promise<TreePage> {
  try {
    return await tree.list(directory, { after, limit: pageSize, withEtags: false }, signal);
  } catch (error) {
    if (error instanceof FileError) {
      return { entries: [], next: undefined };
    }
    throw error;
  }
}
