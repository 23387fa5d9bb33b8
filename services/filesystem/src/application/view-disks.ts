import type { Caller } from '../domain/disk/caller.ts';
import { diskUnavailable } from '../domain/disk/disk-errors.ts';
import { fileNotFound } from '../domain/disk/file-errors.ts';
import type { DiskNode, FileStore, ReadableStore } from '../domain/disk/file-store.ts';
import { isVersioned } from '../domain/disk/versioned-store.ts';
import type { LayerHead } from '../domain/layer/layer-entry.ts';
import type { LowerMount } from '../domain/layer/layered-files.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { UnionSource } from '../domain/union/union-source.ts';
import { UnionStore } from '../domain/union/union-store.ts';
import { isMetered } from '../domain/usage/metered-store.ts';
import { type Mount, type MountSource, toInner } from '../domain/view/mount.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import { MountedDisk } from './mounted-disk.ts';
import { MountedFiles } from './mounted-files.ts';
import type { Layers, ViewLayer } from './ports/layers.ts';

/** The disks of the configuration by name. */
export type Disks = ReadonlyMap<string, FileStore>;

/** The layer of a view, and where it stood when the view was looked at. */
export interface OpenLayer {
  readonly layer: ViewLayer;
  readonly head: LayerHead;
}

export interface ViewDisksOptions {
  readonly disks: Disks;
  readonly layers: Layers;
  /** Undefined for a view without a layer. */
  readonly layer: OpenLayer | undefined;
}

/** What is behind the mounts of a view: its layer, the disks as the run has found them, or as they are. */
export class ViewDisks {
  /** Disks of optional sources that could not be reached so far. */
  readonly missing = new Set<string>();
  readonly #view: SessionView;
  readonly #caller: Caller;
  readonly #options: ViewDisksOptions;

  constructor(view: SessionView, caller: Caller, options: ViewDisksOptions) {
    this.#view = view;
    this.#caller = caller;
    this.#options = options;
  }

  /** The mount that covers a path; undefined above mounts. Throws FILE_NOT_FOUND where neither is. */
  mountAt(path: VirtualPath): Mount | undefined {
    const mount = this.#view.mountOf(path);
    if (mount === undefined && !this.#view.isFixed(path)) {
      throw fileNotFound(path);
    }
    return mount;
  }

  toRead(mount: Mount): MountedFiles {
    const { layer } = this.#options;
    // Where nothing was changed, what is below the layer is all there is.
    const isLayered = this.#isLayerSeen && layer?.head.version !== 0 && !mount.isReadOnly;
    return layer !== undefined && isLayered ? this.#layered(mount, layer.layer) : this.#below(mount);
  }

  /** Undefined when nothing can be written to the mount, for it is a union of disks that can not hide what is below. */
  toChange(mount: Mount): MountedDisk | undefined {
    const { layer } = this.#options;
    const isDirect = layer === undefined || mount.writer !== undefined;
    const files = isDirect ? this.#direct(mount) : this.#layered(mount, layer.layer);
    return files instanceof MountedDisk ? files : undefined;
  }

  /** What lies below the layer at a mount. */
  lowerAt(mount: Mount): LowerMount {
    const [target] = mount.sources;
    const disk = this.diskOf(target);
    return {
      top: mount.path,
      sources: mount.sources.map((source) => this.#sourceOf(mount, source)),
      keepsVersions: isVersioned(disk),
      meteredDisk: isMetered(disk) ? target.disk : undefined,
      capabilities: disk.capabilities,
    };
  }

  /** What a view without a layer changes: the disk itself, or the first disk of a union. */
  #direct(mount: Mount): MountedFiles {
    const [target, ...others] = mount.sources;
    const disk = this.diskOf(target);
    if (others.length === 0 || !isVersioned(disk)) {
      return this.#below(mount);
    }
    const lowerAt = (path: VirtualPath) => this.lowerAt(this.mountAt(path) ?? mount);
    const locate = async (path: VirtualPath) => {
      const at = this.mountAt(path) ?? mount;
      const inner = toInner({ outer: at.path, inner: at.sources[0].remote }, path);
      return { disk: at.sources[0].disk, inner, beneath: await this.beneath(at, path, new AbortController().signal) };
    };
    const { uid } = this.#caller;
    const union = { uid, lower: this.lowerAt(mount), lowerAt, head: () => disk.head(), locate };
    const store = this.#options.layers.union(union);
    return new MountedDisk(mount, { disk: target.disk, remote: mount.path }, store, this.#caller);
  }

  get #isLayerSeen(): boolean {
    const state = this.#options.layer?.head.state;
    return state === 'OPEN' || state === 'CONFLICT' || state === 'PUBLISHING';
  }

  #layered(mount: Mount, layer: ViewLayer): MountedDisk {
    const [target] = mount.sources;
    const lowerAt = (path: VirtualPath) => this.lowerAt(this.mountAt(path) ?? mount);
    const store = layer.files(this.lowerAt(mount), lowerAt);
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
      ? new MountedDisk(mount, source, this.diskOf(source), this.#callerAt(mount))
      : new MountedFiles(mount, pinned, source.remote, this.#caller);
  }

  #callerAt(mount: Mount): Caller {
    return mount.writer === undefined ? this.#caller : { ...this.#caller, uid: this.#view.ownerAt(mount) };
  }

  #sourceOf(mount: Mount, source: MountSource): UnionSource {
    const mapping = { outer: mount.path, inner: source.remote };
    const { isOptional } = source;
    const hidesDenied = mount.sources.length > 1;
    const onMissing = () => this.missing.add(source.disk);
    return new UnionSource(this.#pinned(source) ?? this.diskOf(source), mapping, {
      isOptional,
      hidesDenied,
      onMissing,
    });
  }

  /** The change of a disk up to which the view sees it; undefined when it sees all. */
  pinOf({ disk }: Pick<MountSource, 'disk'>): number | undefined {
    const head = this.#options.layer?.head;
    const isPinned = (head?.state === 'OPEN' || head?.state === 'CONFLICT') && head.isUnpinned !== true;
    return isPinned ? this.#view.pins?.get(disk) : undefined;
  }

  /** A disk as the run has found it; undefined where that is not known, or the run is over. */
  #pinned(source: MountSource): ReadableStore | undefined {
    const pin = this.pinOf(source);
    const disk = this.diskOf(source);
    return pin !== undefined && isVersioned(disk) ? disk.at(pin) : undefined;
  }

  /** What the sources below the first one of a union show at a path; undefined where there is one source. */
  async beneath(mount: Mount, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    const { sources } = this.lowerAt(mount);
    return sources.length > 1
      ? new UnionStore(mount.path, sources.slice(1)).stat(this.#caller, path, signal)
      : undefined;
  }

  /** The disk of a source as it is now. Throws DISK_UNAVAILABLE. */
  diskOf({ disk }: MountSource): FileStore {
    const store = this.#options.disks.get(disk);
    if (store === undefined) {
      throw diskUnavailable(disk);
    }
    return store;
  }
}
