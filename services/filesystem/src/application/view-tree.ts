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
import { isFirstSegment, VirtualPath } from '../domain/path/virtual-path.ts';
import { UnionSource } from '../domain/union/union-source.ts';
import { UnionStore } from '../domain/union/union-store.ts';
import type { Mount, MountSource } from '../domain/view/mount.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import { mountReadOnly } from '../domain/view/view-errors.ts';
import { MountedDisk } from './mounted-disk.ts';
import { MountedFiles } from './mounted-files.ts';

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
  readonly #missing = new Set<string>();

  constructor(view: SessionView, caller: Caller, disks: Disks) {
    this.view = view;
    this.#caller = caller;
    this.#disks = disks;
  }

  /** Disks of optional sources that could not be reached so far: what was found is without what they have. */
  get partialSources(): readonly string[] {
    return [...this.#missing];
  }

  /** The files behind a path; undefined for a directory above mounts. Throws FILE_NOT_FOUND or DISK_UNAVAILABLE. */
  filesAt(path: VirtualPath): MountedFiles | undefined {
    const mount = this.#mountAt(path);
    return mount && this.#mounted(mount);
  }

  /** The disk behind a path, to be changed. Throws as {@link ViewTree.filesAt} does, and MOUNT_READ_ONLY. */
  diskToChange(path: VirtualPath): MountedDisk | undefined {
    const mount = this.#mountAt(path);
    const files = mount && this.#mounted(mount);
    if (mount?.isReadOnly === true || (mount !== undefined && !(files instanceof MountedDisk))) {
      throw mountReadOnly(path, mount);
    }
    return files instanceof MountedDisk ? files : undefined;
  }

  #mountAt(path: VirtualPath): Mount | undefined {
    const mount = this.view.mountOf(path);
    if (mount === undefined && !this.view.isFixed(path)) {
      throw fileNotFound(path);
    }
    return mount;
  }

  #mounted(mount: Mount): MountedFiles {
    const [source, ...others] = mount.sources;
    if (others.length === 0) {
      return new MountedDisk(mount, source, this.#storeOf(source), this.#caller);
    }
    const layers = mount.sources.map((each) => {
      return new UnionSource(this.#storeOf(each), each, () => this.#missing.add(each.disk));
    });
    return new MountedFiles(mount, new UnionStore(layers), VirtualPath.root, this.#caller);
  }

  #storeOf({ disk }: MountSource): FileStore {
    const store = this.#disks.get(disk);
    if (store === undefined) {
      throw diskUnavailable(disk);
    }
    return store;
  }

  async stat(path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    const files = this.filesAt(path);
    return files === undefined || this.view.isFixed(path) ? fixedDirectory : files.stat(path, signal);
  }

  /**
   * A page of a directory, with the mounts that lie in it and without what no path leads to.
   * Throws FILE_NOT_FOUND or NOT_A_DIRECTORY.
   */
  async list(path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<TreePage> {
    const files = this.filesAt(path);
    const isFixed = this.view.isFixed(path);
    const page = await (files?.list(path, request, signal) ?? emptyPage).catch((error: unknown) => {
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
