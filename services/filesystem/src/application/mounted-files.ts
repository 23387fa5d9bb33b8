import type { Caller } from '../domain/disk/caller.ts';
import { FileError } from '../domain/disk/file-errors.ts';
import type {
  ByteRange,
  DiskNode,
  DiskPage,
  FileNode,
  FileSlice,
  ListRequest,
  ReadableStore,
} from '../domain/disk/file-store.ts';
import { isBlobFinder, isBlobSource } from '../domain/layer/blob-source.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { type Mount, type PathMapping, toInner, toOuter } from '../domain/view/mount.ts';

/** The files behind a mount for one caller: takes paths of the view and tells failures in them. */
export class MountedFiles<Store extends ReadableStore = ReadableStore> {
  readonly mount: Mount;
  readonly store: Store;
  protected readonly caller: Caller;
  protected readonly mapping: PathMapping;

  /** `inner` is the directory of the store that is seen at the mount. */
  constructor(mount: Mount, store: Store, inner: VirtualPath, caller: Caller) {
    this.mount = mount;
    this.store = store;
    this.caller = caller;
    this.mapping = { outer: mount.path, inner };
  }

  stat(path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    return this.at(path, (inner) => this.store.stat(this.caller, inner, signal));
  }

  list(path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    return this.at(path, (inner) => this.store.list(this.caller, inner, request, signal));
  }

  read(path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    return this.at(path, (inner) => this.store.read(this.caller, inner, range, signal));
  }

  /** The file, if its etag is the key of its blob; undefined for whatever else is there. */
  blobAt(path: VirtualPath, signal: AbortSignal): Promise<FileNode | undefined> {
    return this.at(path, async (inner) => {
      const { store } = this;
      if (isBlobFinder(store)) {
        return store.findBlob(this.caller, inner, signal);
      }
      const node = isBlobSource(store) ? await store.stat(this.caller, inner, signal) : undefined;
      return node?.kind === 'file' ? node : undefined;
    });
  }

  protected async at<Result>(path: VirtualPath, work: (inner: VirtualPath) => Promise<Result>): Promise<Result> {
    try {
      return await work(toInner(this.mapping, path));
    } catch (error) {
      throw error instanceof FileError ? error.at(toOuter(this.mapping, error.path)) : error;
    }
  }
}
