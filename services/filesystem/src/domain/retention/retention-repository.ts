import type { RunId } from '@spanwise/kernel';
import type { KeptVersion } from './prunable-versions.ts';

/** Which paths of a disk are looked at. */
export interface VersionSearch {
  readonly keep: number;
  readonly agedMs: number;
  /** Key of the last path of the page before; empty for the first page. */
  readonly after: string;
  /** Paths of a page. */
  readonly limit: number;
}

/**
 * What is thrown away for good, in small transactions. Done by several processes at once it is done once. Times are
 * milliseconds since 1970 UTC. Methods throw DATABASE_UNAVAILABLE.
 */
export interface RetentionRepository {
  /**
   * Lets views that were opened before a time and have changed nothing see the disks as they are from now on; `limit` of
   * them. Answers how many.
   */
  unpin(openedBeforeMs: number, nowMs: number, limit: number): Promise<number>;

  /**
   * By disk the pins, rising, of views that may still see it as they have found it: those with a layer whose run goes on,
   * those that were opened after `openedAfterMs`, and those that were unpinned after `unpinnedAfterMs`, for they may be read yet.
   */
  pins(openedAfterMs: number, unpinnedAfterMs: number): Promise<ReadonlyMap<string, readonly number[]>>;

  /** A page of the paths of a disk that have versions which may have to go, by key. */
  overfull(disk: string, search: VersionSearch): Promise<readonly string[]>;

  /** All versions of paths. */
  versionsOf(disk: string, keys: readonly string[]): Promise<readonly KeptVersion[]>;

  /** Deletes versions of a disk, at most 64. Answers how many there were. */
  prune(disk: string, versions: readonly KeptVersion[]): Promise<number>;

  /** Views whose layers wait for their owners, or for disks, since before a time. */
  expiredLayers(beforeMs: number, limit: number): Promise<readonly RunId[]>;

  /** Ends such a layer: dropped, or as far published as it is. False when somebody else has. Its rows stay. */
  expire(viewId: RunId, beforeMs: number, nowMs: number): Promise<boolean>;

  /** Views whose layers ended after a time and still have rows. */
  endedLayers(afterMs: number, limit: number): Promise<readonly RunId[]>;

  /** Deletes rows of a layer that is over. False when none are left. */
  emptyLayer(viewId: RunId): Promise<boolean>;

  /** Forgets answers of changes that were made before a time: about `limit`. Answers how many. */
  forgetKeys(beforeMs: number, limit: number): Promise<number>;
}
