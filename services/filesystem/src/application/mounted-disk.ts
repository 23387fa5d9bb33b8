import { type BlobTarget, isBlobTarget, type StoredContent } from '../domain/disk/blob-target.ts';
import type { Caller } from '../domain/disk/caller.ts';
import { type CopyOutcome, isCopyTarget } from '../domain/disk/copy-target.ts';
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

  /** Whether content that the service has is written to the disk without its bytes. */
  get takesBlobs(): boolean {
    return isBlobTarget(this.store);
  }

  /** Writes content that the service has. Throws DISK_UNSUPPORTED for a disk that does not take blobs. */
  writeStored(
    path: VirtualPath,
    content: StoredContent,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const target: BlobTarget | undefined = isBlobTarget(this.store) ? this.store : undefined;
    if (target === undefined) {
      throw diskUnsupported(this.disk, 'blobs');
    }
    this.#assertHonours(guard);
    return this.at(path, (inner) => target.writeStored(this.caller, inner, content, guard, signal));
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

  /** Whether the store copies what its view shows in one change. */
  get copiesFromView(): boolean {
    return isCopyTarget(this.store);
  }

  /** See {@link CopyTarget.copy}. Throws DISK_UNSUPPORTED for a disk that does not do that. */
  async copyFromView(from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<CopyOutcome> {
    if (!isCopyTarget(this.store)) {
      throw diskUnsupported(this.disk, 'copies in one change');
    }
    return this.store.copy(this.caller, from, to, signal);
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
