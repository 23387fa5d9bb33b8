import type { Caller } from '../disk/caller.ts';
import { isDiskUnavailable } from '../disk/disk-errors.ts';
import { FileError } from '../disk/file-errors.ts';
import type { ByteRange, DiskNode, DiskPage, FileSlice, ListRequest, ReadableStore } from '../disk/file-store.ts';
import { VirtualPath } from '../path/virtual-path.ts';
import { type MountSource, type PathMapping, toInner, toOuter } from '../view/mount.ts';

const emptyPage: DiskPage = { entries: [], next: undefined };
const directory: DiskNode = { kind: 'directory', modifyTimeMs: undefined };

/** A directory of a disk as one layer of a union; its paths are the union's. */
export class UnionSource {
  readonly #store: ReadableStore;
  readonly #mapping: PathMapping;
  readonly #isOptional: boolean;
  readonly #onMissing: () => void;
  #isMissing = false;

  /** `onMissing` is told when the disk of an optional source can not be reached: the source is then empty. */
  constructor(
    store: ReadableStore,
    { remote, isOptional }: Pick<MountSource, 'remote' | 'isOptional'>,
    onMissing: () => void,
  ) {
    this.#store = store;
    this.#mapping = { outer: VirtualPath.root, inner: remote };
    this.#isOptional = isOptional;
    this.#onMissing = onMissing;
  }

  /**
   * What the source has on the way to a path, from its first segment on: up to the path's own node, or to a file that is in
   * the way, or as far as there are directories.
   */
  async trail(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<readonly DiskNode[]> {
    // From below, for a path that is there is asked for most often, and all above it is then known to be directories.
    for (let at = path; !at.isRoot; at = at.parent) {
      const node = await this.#ask(undefined, at, (inner) => this.#store.stat(caller, inner, signal));
      if (node !== undefined) {
        return [...at.segments.slice(1).map(() => directory), node];
      }
    }
    return [];
  }

  /** A page of a directory; empty when there is none. */
  async list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    try {
      return await this.#ask(emptyPage, path, (inner) => this.#store.list(caller, inner, request, signal));
    } catch (error) {
      if (error instanceof FileError) {
        return emptyPage;
      }
      throw error;
    }
  }

  read(caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    return this.#at(path, (inner) => this.#store.read(caller, inner, range, signal));
  }

  /** `missing` is the answer of an optional source whose disk can not be reached. */
  async #ask<Answer>(
    missing: Answer,
    path: VirtualPath,
    work: (inner: VirtualPath) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#isMissing) {
      return missing;
    }
    try {
      return await this.#at(path, work);
    } catch (error) {
      if (!this.#isOptional || !isDiskUnavailable(error)) {
        throw error;
      }
      this.#isMissing = true;
      this.#onMissing();
      return missing;
    }
  }

  async #at<Answer>(path: VirtualPath, work: (inner: VirtualPath) => Promise<Answer>): Promise<Answer> {
    try {
      return await work(toInner(this.#mapping, path));
    } catch (error) {
      throw error instanceof FileError ? error.at(toOuter(this.#mapping, error.path)) : error;
    }
  }
}
