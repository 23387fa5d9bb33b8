import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import type { Change, ChangeSource } from '../change/change.ts';
import { compareNames } from '../path/name-order.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { Mount } from './mount.ts';
import { privateFolder } from './mount-template.ts';

/** A directory of a disk, in the disk's own path. */
export interface DiskFolder {
  readonly disk: string;
  readonly path: VirtualPath;
}

export interface SessionViewFacts {
  /** Equals the id of the run. */
  readonly id: RunId;
  readonly uid: Uid;
  readonly sessionId: SessionId;
  readonly mounts: readonly Mount[];
  /** Milliseconds since 1970 UTC. */
  readonly createTimeMs: number;
  /**
   * For a view with a layer: the last change of each disk that numbers them, by its name, when the view was opened. Undefined
   * for a view that changes the disks themselves.
   */
  readonly pins?: ReadonlyMap<string, number> | undefined;
}

/** What one run sees of files: made once, never changed. */
export class SessionView implements SessionViewFacts {
  readonly id: RunId;
  readonly uid: Uid;
  readonly sessionId: SessionId;
  /** Sorted by path. */
  readonly mounts: readonly Mount[];
  readonly createTimeMs: number;
  readonly pins: ReadonlyMap<string, number> | undefined;

  constructor({ id, uid, sessionId, mounts, createTimeMs, pins }: SessionViewFacts) {
    this.id = id;
    this.uid = uid;
    this.sessionId = sessionId;
    this.mounts = mounts.toSorted((left, right) => compareNames(left.path.text, right.path.text));
    this.createTimeMs = createTimeMs;
    this.pins = pins;
  }

  /** A change of this view's files. */
  change({ epoch, once }: ChangeSource): Change {
    return { viewId: this.id, sessionId: this.sessionId, epoch, once };
  }

  /** The mount that covers a path: of those that do, the longest. */
  mountOf(path: VirtualPath): Mount | undefined {
    return this.mounts
      .filter((mount) => path.isWithin(mount.path))
      .reduce<Mount | undefined>(
        (longest, mount) =>
          longest === undefined || mount.path.segments.length > longest.path.segments.length ? mount : longest,
        undefined,
      );
  }

  /** Whose use of a disk what is written under a mount counts for: the user's, or that of the session alone. */
  ownerAt({ writer }: Pick<Mount, 'writer'>): Uid {
    return writer === undefined ? this.uid : brandId<Uid>(this.sessionId);
  }

  /** True for the path of a mount that is searched only when the search begins there or below it. */
  isSetAside(path: VirtualPath): boolean {
    return this.mounts.some((mount) => mount.writer !== undefined && mount.path.equals(path));
  }

  /** The directories of disks that no other session sees. */
  privateFolders(): DiskFolder[] {
    const sources = this.mounts.flatMap((mount) => mount.sources);
    return sources.flatMap((source) => {
      const path = privateFolder(source, this.sessionId);
      return path === undefined ? [] : [{ disk: source.disk, path }];
    });
  }

  /** True for a mount's path and for every path above one: a directory, whatever a disk says, and there to stay. */
  isFixed(path: VirtualPath): boolean {
    return path.isRoot || this.mounts.some((mount) => mount.path.isWithin(path));
  }

  /** Names, in byte order, of the fixed directories directly in a directory. */
  fixedNames(path: VirtualPath): string[] {
    const depth = path.segments.length;
    const names = this.mounts
      .filter((mount) => mount.path.segments.length > depth && mount.path.isWithin(path))
      .flatMap((mount) => mount.path.segments.slice(depth, depth + 1));
    return [...new Set(names)].toSorted(compareNames);
  }
}
