import { FileError } from '../domain/disk/file-errors.ts';
import type { ListRequest } from '../domain/disk/file-store.ts';
import type { LayerEntry } from '../domain/layer/layer-entry.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { type SeenNode, seenNodeOf } from '../domain/watching/path-difference.ts';
import { maxPendingPaths, watcherTooSlow } from '../domain/watching/watch-errors.ts';
import type { TreePage, ViewTree } from './view-tree.ts';

/** What a view shows at one moment. */
export interface ViewPosition {
  /** The change up to which each disk that numbers them is seen. */
  readonly heads: ReadonlyMap<string, number>;
  /** What is in its layer, by the texts of the paths; empty without one and when it is over. */
  readonly entries: ReadonlyMap<string, LayerEntry>;
}

/** Entries of a page of a walk. */
const pageSize = 500;

/** A view as it was at a position. Disks that number no changes are seen as they are. */
export class ViewMoment {
  readonly #tree: ViewTree;

  constructor(tree: ViewTree) {
    this.#tree = tree;
  }

  async at(path: VirtualPath, signal: AbortSignal): Promise<SeenNode | undefined> {
    try {
      return seenNodeOf(await this.#tree.stat(path, signal));
    } catch (error) {
      if (error instanceof FileError) {
        return undefined;
      }
      throw error;
    }
  }

  /** All that is below a directory, by path. Throws WATCHER_TOO_SLOW when that is more than a watcher is told. */
  async below(
    directory: VirtualPath,
    signal: AbortSignal,
  ): Promise<Map<string, { path: VirtualPath; node: SeenNode }>> {
    const found = new Map<string, { path: VirtualPath; node: SeenNode }>();
    const directories = [directory];
    for (const each of directories) {
      for await (const { path, node } of this.#entries(each, signal)) {
        found.set(path.text, { path, node });
        if (node.kind === 'directory') {
          directories.push(path);
        }
        if (found.size > maxPendingPaths) {
          throw watcherTooSlow();
        }
      }
    }
    return found;
  }

  async *#entries(directory: VirtualPath, signal: AbortSignal) {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const request: ListRequest = { after, limit: pageSize, withEtags: true };
      const page: TreePage | undefined = await this.#tree.list(directory, request, signal).catch((error: unknown) => {
        // It has vanished from a disk that is seen as it is.
        if (error instanceof FileError) {
          return undefined;
        }
        throw error;
      });
      for (const { path, node } of page?.entries ?? []) {
        yield { path, node: seenNodeOf(node) ?? ({ kind: 'directory' } as const) };
      }
      after = page?.next;
    }
  }
}
