import type { BlobSource } from '../layer/blob-source.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { MarkedStore } from '../union/layer-node.ts';
import type { FileNode, FileStore } from './file-store.ts';
import type { VersionLimits } from './version-limits.ts';

/** What was at a path of a disk. */
export interface FileVersion {
  /** The number of the change of the disk that wrote it. */
  readonly version: number;
  readonly node: FileNode;
  /** True for what is there now, or was there after the change `upTo`. */
  readonly isCurrent: boolean;
}

/**
 * A disk that numbers its changes and keeps what they replace for a while. Its files can be layers with marks, and its etags
 * are keys of blobs. Methods throw DATABASE_UNAVAILABLE.
 */
export interface VersionedStore extends FileStore, MarkedStore, BlobSource {
  readonly versionLimits: VersionLimits;

  /** The number of the last change; 0 before the first. */
  head(): Promise<number>;

  /**
   * The disk as it was after the change of that number. Only for the pin of a view whose layer still holds it: see `LayerHead.isUnpinned`.
   */
  at(head: number): MarkedStore & BlobSource;

  /** Versions of a file that are kept, newest first; those that there were after the change `upTo`, if it is given. */
  versions(path: VirtualPath, limit: number, upTo?: number): Promise<readonly FileVersion[]>;

  /** Deletes a path and all below it for good, versions included; fine when nothing is there. */
  erase(path: VirtualPath): Promise<void>;
}

export function isVersioned(store: FileStore): store is VersionedStore {
  return 'versions' in store;
}
