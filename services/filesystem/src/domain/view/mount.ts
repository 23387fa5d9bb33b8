import { pathUnusable } from '../disk/file-errors.ts';
import type { VirtualPath } from '../path/virtual-path.ts';

/** A directory of a disk that is seen at a mount. */
export interface MountSource<Remote = VirtualPath> {
  /** Name of the disk in the configuration. */
  readonly disk: string;
  readonly remote: Remote;
  /** Where two sources of a mount have the same path, the one with the higher priority is seen. */
  readonly priority: number;
  /** True: while its disk can not be reached the others are shown without it. */
  readonly isOptional: boolean;
}

/** A path of a view and what backs it. */
export interface Mount<Remote = VirtualPath> {
  readonly path: VirtualPath;
  /** With several of them it is a union of all, highest priority first. */
  readonly sources: readonly [MountSource<Remote>, ...MountSource<Remote>[]];
  /** True when nothing can be changed under it, but by its `writer`. */
  readonly isReadOnly: boolean;
  /** True when what a run writes under it counts as its output. */
  readonly isOutput: boolean;
  /**
   * The service that alone changes what is under it: at once and not as part of a run. It counts for the session, and searches
   * from above leave it out. Absent for mounts of the configuration.
   */
  readonly writer?: string | undefined;
}

/** A directory that stands for another one: `inner` of a disk is seen as `outer`. */
export interface PathMapping {
  readonly outer: VirtualPath;
  readonly inner: VirtualPath;
}

/** The inner path of an outer one that the mapping covers. Throws PATH_INVALID when it is too long there. */
export function toInner({ outer, inner }: PathMapping, path: VirtualPath): VirtualPath {
  try {
    return path.relativeTo(outer).below(inner);
  } catch {
    throw pathUnusable(path, 'too long for its disk');
  }
}

/** The outer path of an inner one; the directory itself for what lies outside of it, so that nothing else is told. */
export function toOuter({ outer, inner }: PathMapping, path: VirtualPath): VirtualPath {
  return path.isWithin(inner) ? path.relativeTo(inner).below(outer) : outer;
}
