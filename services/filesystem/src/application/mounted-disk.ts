import type { Caller } from '../domain/disk/caller.ts';
import { diskUnsupported } from '../domain/disk/disk-errors.ts';
import { FileError } from '../domain/disk/file-errors.ts';
import type {
  DirectoryNode,
  DiskNode,
  FileStore,
  RemoveRequest,
  WriteGuard,
  WriteOutcome,
} from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { type Mount, type MountSource, toInner, toOuter } from '../domain/view/mount.ts';
import { MountedFiles } from './mounted-files.ts';

/** The one disk behind a mount for one caller, to be changed. */
export class MountedDisk extends MountedFiles<FileStore> {
  /** Name of the disk in the configuration. */
  readonly disk: string;
  readonly #inner: VirtualPath;

  /** `remote` is the directory of the store that is seen at the mount. */
  constructor(mount: Mount, { disk, remote }: Pick<MountSource, 'disk' | 'remote'>, store: FileStore, caller: Caller) {
    super(mount, store, remote, caller);
    this.disk = disk;
    this.#inner = remote;
  }

  /** The same on another store: the disk as it is within a change. */
  on(store: FileStore): MountedDisk {
    return new MountedDisk(this.mount, { disk: this.disk, remote: this.#inner }, store, this.caller);
  }

  /** Throws DISK_UNSUPPORTED when the disk can not honour the guard. */
  write(path: VirtualPath, data: Uint8Array, guard: WriteGuard, signal: AbortSignal): Promise<WriteOutcome> {
    this.#assertHonours(guard);
    return this.at(path, (inner) => this.store.write(this.caller, inner, data, guard, signal));
  }

  /** Throws DISK_UNSUPPORTED when the disk can not honour the guard. */
  remove(path: VirtualPath, request: RemoveRequest, signal: AbortSignal): Promise<void> {
    this.#assertHonours(request);
    return this.at(path, (inner) => this.store.remove(this.caller, inner, request, signal));
  }

  /** Moves to a mount of the same disk, which may be this one. */
  async rename(from: VirtualPath, to: VirtualPath, target: MountedDisk, signal: AbortSignal): Promise<DiskNode> {
    const innerFrom = toInner(this.mapping, from);
    const innerTo = toInner(target.mapping, to);
    try {
      return await this.store.rename(this.caller, innerFrom, innerTo, signal);
    } catch (error) {
      if (error instanceof FileError) {
        throw error.at(error.path.equals(innerFrom) ? from : toOuter(target.mapping, error.path));
      }
      throw error;
    }
  }

  makeDirectory(path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    return this.at(path, (inner) => this.store.makeDirectory(this.caller, inner, signal));
  }

  #assertHonours({ ifMatch, createOnly }: WriteGuard): void {
    if (ifMatch !== undefined && !this.store.capabilities.ifMatch) {
      throw diskUnsupported(this.disk, 'if_match');
    }
    if (createOnly === true && !this.store.capabilities.createOnly) {
      throw diskUnsupported(this.disk, 'create_only');
    }
  }
}
