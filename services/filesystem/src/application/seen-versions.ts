import { diskUnsupported } from '../domain/disk/disk-errors.ts';
import { type FileVersion, isVersioned } from '../domain/disk/versioned-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { toInner } from '../domain/view/mount.ts';
import type { ViewTree } from './view-tree.ts';

/** The versions of one path of a view: those of the first disk of its mount, for the others are never written to. */
export interface SeenVersions {
  /** Newest first. What a run finds is not newer than its pin; what its own layer has is no version. */
  list(limit: number): Promise<readonly FileVersion[]>;
  /** Undefined when it is not kept, or is too new for the run. */
  find(version: number): Promise<FileVersion | undefined>;
}

/**
 * Undefined for what no disk backs. Throws FILE_NOT_FOUND, NOT_GRANTED, DISK_UNAVAILABLE, and DISK_UNSUPPORTED for a disk
 * that keeps no versions.
 */
export function versionsSeenAt(tree: ViewTree, path: VirtualPath): SeenVersions | undefined {
  const mount = tree.disks.mountAt(path);
  tree.assertMay('read', path);
  if (mount === undefined || tree.view.isFixed(path)) {
    return undefined;
  }
  const [source] = mount.sources;
  const store = tree.disks.diskOf(source);
  if (!isVersioned(store)) {
    throw diskUnsupported(source.disk, 'versions');
  }
  const inner = toInner({ outer: mount.path, inner: source.remote }, path);
  const pin = tree.disks.pinOf(source);
  return {
    list: (limit) => store.versions(inner, limit, pin),
    async find(version) {
      if (pin !== undefined && version > pin) {
        return undefined;
      }
      const [found] = await store.versions(inner, 1, version);
      return found?.version === version ? found : undefined;
    },
  };
}
