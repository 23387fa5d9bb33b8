import { pathUnusable } from '../disk/file-errors.ts';
import type { VirtualPath } from '../path/virtual-path.ts';

/** A path of a view and what backs it. */
export interface Mount {
  readonly path: VirtualPath;
  /** Name of the disk in the configuration. */
  readonly disk: string;
  /** The directory of the disk that is seen at `path`. */
  readonly remote: VirtualPath;
  /** True when nothing can be changed under it. */
  readonly isReadOnly: boolean;
  /** True when what a run writes under it counts as its output. */
  readonly isOutput: boolean;
}

/** The disk's path of a view path that the mount covers. Throws PATH_INVALID when it is too long for the disk. */
export function toDiskPath(mount: Mount, path: VirtualPath): VirtualPath {
  try {
    return path.relativeTo(mount.path).below(mount.remote);
  } catch {
    throw pathUnusable(path, 'too long for its disk');
  }
}

/** The view's path of a path of the disk; the mount itself for what lies outside of it, so that nothing else is told. */
export function toViewPath(mount: Mount, path: VirtualPath): VirtualPath {
  return path.isWithin(mount.remote) ? path.relativeTo(mount.remote).below(mount.path) : mount.path;
}
