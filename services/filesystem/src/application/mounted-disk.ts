import type { Caller } from '../domain/disk/caller.ts';
import { diskUnsupported } from '../domain/disk/disk-errors.ts';
import { FileError } from '../domain/disk/file-errors.ts';
import type {
  ByteRange,
  DirectoryNode,
  DiskNode,
  DiskPage,
  FileSlice,
  FileStore,
  ListRequest,
  RemoveRequest,
  WriteGuard,
  WriteOutcome,
} from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { type Mount, toDiskPath, toViewPath } from '../domain/view/mount.ts';

/** The disk behind a mount for one caller: takes paths of the view and tells failures in them. */
export class MountedDisk {
  readonly mount: Mount;
  readonly store: FileStore;
  readonly #caller: Caller;

  constructor(mount: Mount, store: FileStore, caller: Caller) {
    this.mount = mount;
    this.store = store;
    this.#caller = caller;
  }

  /** The same on another store: the disk as it is within a change. */
  on(store: FileStore): MountedDisk {
    return new MountedDisk(this.mount, store, this.#caller);
  }

  stat(path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    return this.#at(path, (diskPath) => this.store.stat(this.#caller, diskPath, signal));
  }

  list(path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    return this.#at(path, (diskPath) => this.store.list(this.#caller, diskPath, request, signal));
  }

  read(path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    return this.#at(path, (diskPath) => this.store.read(this.#caller, diskPath, range, signal));
  }

  /** Throws DISK_UNSUPPORTED when the disk can not honour the guard. */
  write(path: VirtualPath, data: Uint8Array, guard: WriteGuard, signal: AbortSignal): Promise<WriteOutcome> {
    this.#assertHonours(guard);
    return this.#at(path, (diskPath) => this.store.write(this.#caller, diskPath, data, guard, signal));
  }

  /** Throws DISK_UNSUPPORTED when the disk can not honour the guard. */
  remove(path: VirtualPath, request: RemoveRequest, signal: AbortSignal): Promise<void> {
    this.#assertHonours(request);
    return this.#at(path, (diskPath) => this.store.remove(this.#caller, diskPath, request, signal));
  }

  /** Moves to a mount of the same disk, which may be this one. */
  async rename(from: VirtualPath, to: VirtualPath, target: Mount, signal: AbortSignal): Promise<DiskNode> {
    const diskFrom = toDiskPath(this.mount, from);
    const diskTo = toDiskPath(target, to);
    try {
      return await this.store.rename(this.#caller, diskFrom, diskTo, signal);
    } catch (error) {
      if (error instanceof FileError) {
        throw error.at(error.path.equals(diskFrom) ? from : toViewPath(target, error.path));
      }
      throw error;
    }
  }

  makeDirectory(path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    return this.#at(path, (diskPath) => this.store.makeDirectory(this.#caller, diskPath, signal));
  }

  #assertHonours({ ifMatch, createOnly }: WriteGuard): void {
    if (ifMatch !== undefined && !this.store.capabilities.ifMatch) {
      throw diskUnsupported(this.mount.disk, 'if_match');
    }
    if (createOnly === true && !this.store.capabilities.createOnly) {
      throw diskUnsupported(this.mount.disk, 'create_only');
    }
  }

  async #at<Result>(path: VirtualPath, work: (diskPath: VirtualPath) => Promise<Result>): Promise<Result> {
    try {
      return await work(toDiskPath(this.mount, path));
    } catch (error) {
      throw error instanceof FileError ? error.at(toViewPath(this.mount, error.path)) : error;
    }
  }
}
