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
  ReadableStore,
} from '../domain/disk/file-store.ts';
import { isVersioned } from '../domain/disk/versioned-store.ts';
import type { LayerHead } from '../domain/layer/layer-entry.ts';
import { viewClosed } from '../domain/layer/layer-errors.ts';
import type { LowerMount } from '../domain/layer/layered-files.ts';
import { compareNames } from '../domain/path/name-order.ts';
import { isFirstSegment, type VirtualPath } from '../domain/path/virtual-path.ts';
import { UnionSource } from '../domain/union/union-source.ts';
import { UnionStore } from '../domain/union/union-store.ts';
import type { Mount, MountSource } from '../domain/view/mount.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import { mountReadOnly } from '../domain/view/view-errors.ts';
import { MountedDisk } from './mounted-disk.ts';
import { MountedFiles } from './mounted-files.ts';
import type { ViewLayer } from './ports/layers.ts';

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

/** The layer of a view, and where it stood when the view was looked at. */
export interface OpenLayer {
  readonly layer: ViewLayer;
  readonly head: LayerHead;
}

/** A view as its owner sees it: the mounts, and the directories above them, make one tree. */
export class ViewTree {
  readonly view: SessionView;
  /** Undefined for a view without a layer. */
  readonly layer: OpenLayer | undefined;
  readonly #caller: Caller;
  readonly #disks: Disks;
  readonly #missing = new Set<string>();

  constructor(view: SessionView, caller: Caller, disks: Disks, layer?: OpenLayer) {
    this.view = view;
    this.layer = layer;
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
    if (mount === undefined) {
      return undefined;
    }
    // Where nothing was changed, what is below the layer is all there is.
    const isLayered = this.#isLayerSeen && this.layer?.head.version !== 0 && !mount.isReadOnly;
    return isLayered ? this.#layered(mount) : this.#below(mount);
  }

  /**
   * The disk behind a path, to be changed. Throws as {@link ViewTree.filesAt} does, MOUNT_READ_ONLY, and VIEW_CLOSED when the
   * run of the view is over.
   */
  diskToChange(path: VirtualPath): MountedDisk | undefined {
    const mount = this.#mountAt(path);
    if (mount?.isReadOnly === true) {
      throw mountReadOnly(path, mount);
    }
    if (this.layer !== undefined && this.layer.head.state !== 'OPEN') {
      throw viewClosed();
    }
    if (mount === undefined) {
      return undefined;
    }
    const files = this.layer === undefined ? this.#below(mount) : this.#layered(mount);
    if (!(files instanceof MountedDisk)) {
      throw mountReadOnly(path, mount);
    }
    return files;
  }

  /** What lies below the layer at a mount. */
  lowerAt(mount: Mount): LowerMount {
    const [target] = mount.sources;
    const disk = this.diskOf(target);
    return {
      top: mount.path,
      sources: mount.sources.map((source) => this.#sourceOf(mount, source)),
      keepsVersions: isVersioned(disk),
      capabilities: disk.capabilities,
    };
  }

  get #isLayerSeen(): boolean {
    const state = this.layer?.head.state;
    return state === 'OPEN' || state === 'CONFLICT' || state === 'PUBLISHING';
  }

  #mountAt(path: VirtualPath): Mount | undefined {
    const mount = this.view.mountOf(path);
    if (mount === undefined && !this.view.isFixed(path)) {
      throw fileNotFound(path);
    }
    return mount;
  }

  #layered(mount: Mount): MountedFiles {
    const [target] = mount.sources;
    const lowerAt = (path: VirtualPath) => this.lowerAt(this.#mountAt(path) ?? mount);
    const store = this.layer?.layer.files(this.lowerAt(mount), lowerAt);
    if (store === undefined) {
      return this.#below(mount);
    }
    return new MountedDisk(mount, { disk: target.disk, remote: mount.path }, store, this.#caller);
  }

  #below(mount: Mount): MountedFiles {
    const [source, ...others] = mount.sources;
    if (others.length > 0) {
      const union = new UnionStore(mount.path, this.lowerAt(mount).sources);
      return new MountedFiles(mount, union, mount.path, this.#caller);
    }
    const pinned = this.#pinned(source);
    return pinned === undefined
      ? new MountedDisk(mount, source, this.diskOf(source), this.#caller)
      : new MountedFiles(mount, pinned, source.remote, this.#caller);
  }

  #sourceOf(mount: Mount, source: MountSource): UnionSource {
    const mapping = { outer: mount.path, inner: source.remote };
    const { isOptional } = source;
    const onMissing = () => this.#missing.add(source.disk);
    return new UnionSource(this.#pinned(source) ?? this.diskOf(source), mapping, { isOptional, onMissing });
  }

  /** A disk as the run has found it; undefined where that is not known, or the run is over. */
  #pinned(source: MountSource): ReadableStore | undefined {
    const state = this.layer?.head.state;
    const pin = state === 'OPEN' || state === 'CONFLICT' ? this.view.pins?.get(source.disk) : undefined;
    const disk = this.diskOf(source);
    return pin !== undefined && isVersioned(disk) ? disk.at(pin) : undefined;
  }

  /** The disk of a source as it is now. Throws DISK_UNAVAILABLE. */
  diskOf({ disk }: MountSource): FileStore {
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
