import type { VirtualPath } from '../path/virtual-path.ts';
import type { Caller } from './caller.ts';
import type { DiskNode, FileStore } from './file-store.ts';

/** What was copied. */
export interface CopyOutcome {
  /** What is at the new path. */
  readonly node: DiskNode;
  /** Files that were copied. */
  readonly files: number;
}

/** A store that copies in one change whatever its view shows, in paths of the view. */
export interface CopyTarget extends FileStore {
  readonly copiesFromView: true;

  /**
   * Copies a file, or a directory with all in it, and makes the directories above its new path. Throws FILE_NOT_FOUND,
   * FILE_EXISTS, NOT_A_DIRECTORY, FILE_TOO_LARGE, TOO_MANY_CHANGES, QUOTA_EXCEEDED, or PATH_INVALID for a path below `from`.
   */
  copy(caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<CopyOutcome>;
}

export function isCopyTarget(store: FileStore): store is CopyTarget {
  return 'copiesFromView' in store;
}
