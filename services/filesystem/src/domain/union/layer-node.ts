import type { Caller } from '../disk/caller.ts';
import type { DirectoryNode, FileNode, ListRequest, ReadableStore } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';

/** A directory of a layer. */
export interface LayerDirectory extends DirectoryNode {
  /** True: what lower layers have in it is not seen. */
  readonly isOpaque?: boolean;
}

/** Says that a path is not there, whatever lower layers have. */
export interface Whiteout {
  readonly kind: 'whiteout';
}

/** What a layer of a union has at a path. */
export type LayerNode = FileNode | LayerDirectory | Whiteout;

export interface LayerListEntry {
  readonly name: string;
  readonly node: LayerNode;
}

/** A page of what a layer has in a directory; see `DiskPage`. */
export interface LayerPage {
  readonly entries: readonly LayerListEntry[];
  readonly next: string | undefined;
}

/** A store that can be a layer with marks: it hides what lower layers of a union have. By itself it shows no marks. */
export interface MarkedStore extends ReadableStore {
  /**
   * What is on the way from `top` (exclusive) to a path within it, in order, as far as the store has something: it ends with
   * the path's own node, with a file or whiteout that is in the way, or with the last directory.
   */
  trail(caller: Caller, top: VirtualPath, path: VirtualPath, signal: AbortSignal): Promise<readonly LayerNode[]>;

  /** Like `list`, with whiteouts; empty where there is no directory. */
  listMarked(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<LayerPage>;
}

export function isMarked(store: ReadableStore): store is MarkedStore {
  return 'listMarked' in store;
}
