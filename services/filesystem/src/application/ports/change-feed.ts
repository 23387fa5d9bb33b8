import type { RunId } from '@spanwise/kernel';
import type { PendingPath } from '../../domain/watching/pending-changes.ts';

/** Where the sources of a view stand, all at one moment. */
export interface Standing {
  /** The number of the last change of each disk that numbers them; 0 before the first. */
  readonly heads: ReadonlyMap<string, number>;
  /** Different whenever the layer is; empty without one. */
  readonly layer: string;
}

/** What a watcher follows. */
export interface Followed extends Disposable {
  /** As it was when last looked at. */
  readonly standing: Standing;
  /** Whether something has changed since {@link Followed.news} was last asked. */
  readonly hasNews: boolean;

  /** Looks, not before it is asked. Throws DATABASE_UNAVAILABLE. */
  look(signal: AbortSignal): Promise<Standing>;

  /**
   * Resolves to true when something has changed since it was last asked, to false after `waitMs` without that.
   * Throws what the signal was aborted with.
   */
  news(waitMs: number, signal: AbortSignal): Promise<boolean>;

  /**
   * What this process has touched on disks that do not number changes, since it was last asked, by the name of the disk and in
   * its paths. Throws WATCHER_TOO_SLOW when that is more than is kept.
   */
  touched(): ReadonlyMap<string, readonly PendingPath[]>;
}

/** Tells when something changes. It costs nothing while nobody follows. */
export interface ChangeFeed {
  /** Follows disks by their names, and the layer of a view. Dispose of it to stop. */
  follow(disks: readonly string[], viewId: RunId | undefined): Followed;
}
