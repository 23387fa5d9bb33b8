import type { Caller } from '../domain/disk/caller.ts';
import { diskUnavailable } from '../domain/disk/disk-errors.ts';
import { FileError, fileNotFound } from '../domain/disk/file-errors.ts';
import type {
  DirectoryNode,
  DiskEntry,
  DiskNode,
  DiskPage,
  FileStore,
  ListRequest,
} from '../domain/disk/file-store.ts';
import { compareNames } from '../domain/path/name-order.ts';
import { isFirstSegment, type VirtualPath } from '../domain/path/virtual-path.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import { mountReadOnly } from '../domain/view/view-errors.ts';
import { MountedDisk } from './mounted-disk.ts';

/** An entry of a directory of a view. */
export interface TreeEntry extends DiskEntry {
  readonly path: VirtualPath;
}

/** A page of a directory; see {@link DiskPage}. */
export interface TreePage {
  readonly entries: readonly TreeEntry[];
  readonly next: string | undefined;
}

/** The disks of the configuration by name. */
export type Disks = ReadonlyMap<string, FileStore>;

/** What no disk backs: a mount whose directory was not made yet, and the directories above mounts. */
export const fixedDirectory: DirectoryNode = { kind: 'directory', modifyTimeMs: undefined };

/** A view as its owner sees it: the mounts, and the directories above them, make one tree. */
export class ViewTree {
  readonly view: SessionView;
  readonly #caller: Caller;
  readonly #disks: Disks;

  constructor(view: SessionView, caller: Caller, disks: Disks) {
    this.view = view;
    this.#caller = caller;
    this.#disks = disks;
  }

  /** The disk behind a path; undefined for a directory above mounts. Throws FILE_NOT_FOUND or DISK_UNAVAILABLE. */
  diskAt(path: VirtualPath): MountedDisk | undefined {
    const mount = this.view.mountOf(path);
    if (mount === undefined) {
      if (this.view.isFixed(path)) {
        return undefined;
      }
      throw fileNotFound(path);
    }
    const store = this.#disks.get(mount.disk);
    if (store === undefined) {
      throw diskUnavailable(mount.disk);
    }
    return new MountedDisk(mount, store, this.#caller);
  }

  /** The same for a change: throws MOUNT_READ_ONLY, too. */
  diskToChange(path: VirtualPath): MountedDisk | undefined {
    const mount = this.view.mountOf(path);
    if (mount?.isReadOnly === true) {
      throw mountReadOnly(path, mount);
    }
    return this.diskAt(path);
  }

  async stat(path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    const disk = this.diskAt(path);
    return disk === undefined || this.view.isFixed(path) ? fixedDirectory : disk.stat(path, signal);
  }

  /**
   * A page of a directory, with the mounts that lie in it and without what no path leads to.
   * Throws FILE_NOT_FOUND or NOT_A_DIRECTORY.
   */
  async list(path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<TreePage> {
    const disk = this.diskAt(path);
    const isFixed = this.view.isFixed(path);
    const page = await (disk?.list(path, request, signal) ?? emptyPage).catch((error: unknown) => {
      // A fixed directory is one even before anything was written to its disk.
      if (isFixed && error instanceof FileError) {
        return emptyPage;
      }
      throw error;
    });
    const { entries, next } = isFixed ? withFixed(page, this.view.fixedNames(path), request) : page;
    const reachable = entries.flatMap((entry) => {
      const entryPath = path.entry(entry.name);
      const isUnreachable = entryPath === undefined || (path.isRoot && !isFirstSegment(entry.name));
      return isUnreachable ? [] : [{ ...entry, path: entryPath }];
    });
    return { entries: reachable, next };
  }
}

const emptyPage: Promise<DiskPage> = Promise.resolve({ entries: [], next: undefined });

/** Adds the fixed directories that belong on the page; they hide what the disk has under their names. */
function withFixed(page: DiskPage, names: readonly string[], { after, limit }: ListRequest): DiskPage {
  const { next } = page;
  const here = names.filter(
    (name) => (after === '' || compareNames(name, after) > 0) && (next === undefined || compareNames(name, next) <= 0),
  );
  const entries = [
    ...page.entries.filter(({ name }) => !here.includes(name)),
    ...here.map((name) => ({ name, node: fixedDirectory })),
  ].toSorted((left, right) => compareNames(left.name, right.name));
  return entries.length <= limit
    ? { entries, next }
    : { entries: entries.slice(0, limit), next: entries[limit - 1]?.name };
}
