import type { DiskNode } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import { type Base, baseOf, isSameBase, type LayerEntry } from './layer-entry.ts';

/** A path that a run has changed, and somebody else too. Etags are empty where no file is or was. */
export interface Conflict {
  readonly path: VirtualPath;
  readonly baseEtag: string;
  readonly currentEtag: string;
}

/** An entry for a tree disk. */
export interface TreeItem {
  /** Name of the disk. */
  readonly disk: string;
  /** The path on it. */
  readonly inner: VirtualPath;
  readonly entry: LayerEntry;
  /** What the sources below the disk in its union show at the path. */
  readonly beneath: DiskNode | undefined;
}

export type CommitResult = 'PUBLISHED' | 'PARTIAL' | 'CONFLICT' | 'ROLLED_BACK';

/** What CommitRun answers, kept with the layer. */
export interface CommitAnswer {
  readonly result: CommitResult;
  readonly conflicts: readonly Conflict[];
  /** Paths that were not written. */
  readonly unpublished: readonly VirtualPath[];
  /** Files, directories and deletions. */
  readonly changes: number;
}

/** Paths that an answer lists at most. */
export const maxListed = 1000;

/** What is in the way of publishing an entry: nothing when the path is as the run has found it, or as it has made it. */
export function conflictOf({ path, node, base }: LayerEntry, now: DiskNode | undefined): Conflict | undefined {
  const current = baseOf(now);
  if (isSameBase(base, current) || isAlready(node, current)) {
    return undefined;
  }
  return { path, baseEtag: base.etag, currentEtag: current.etag };
}

function isAlready(node: LayerEntry['node'], current: Base): boolean {
  switch (node.kind) {
    case 'whiteout':
      return current.kind === 'none';
    case 'directory':
      return current.kind === 'directory' && node.isOpaque !== true;
    case 'file':
      return current.kind === 'file' && current.etag === node.etag;
  }
}
