import type { Caller } from '../disk/caller.ts';
import { isDiskUnavailable } from '../disk/disk-errors.ts';
import { FileError } from '../disk/file-errors.ts';
import type { ByteRange, FileSlice, ListRequest, ReadableStore } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import { type PathMapping, toInner, toOuter } from '../view/mount.ts';
import { isMarked, type LayerDirectory, type LayerNode, type LayerPage } from './layer-node.ts';

const emptyPage: LayerPage = { entries: [], next: undefined };
const directory: LayerDirectory = { kind: 'directory', modifyTimeMs: undefined };

export interface UnionSourceOptions {
  /** True: while its disk can not be reached the source is empty. */
  readonly isOptional: boolean;
  /** True: what the disk does not let the user see is not there. */
  readonly hidesDenied: boolean;
  /** Is told when the disk of an optional source can not be reached. */
  readonly onMissing: () => void;
}

const required: UnionSourceOptions = { isOptional: false, hidesDenied: false, onMissing: () => undefined };

/** A directory of a store as one layer of a union; `mapping.outer` is the directory that the union shows. */
export class UnionSource {
  readonly store: ReadableStore;
  readonly #mapping: PathMapping;
  readonly #options: UnionSourceOptions;
  #isMissing = false;

  constructor(store: ReadableStore, mapping: PathMapping, options: UnionSourceOptions = required) {
    this.store = store;
    this.#mapping = mapping;
    this.#options = options;
  }

  /**
   * What the source has on the way to a path, from the first segment below the union on: up to the path's own node, or to
   * a file or whiteout that is in the way, or as far as there are directories.
   */
  async trail(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<readonly LayerNode[]> {
    const { store } = this;
    if (isMarked(store)) {
      const { inner: top } = this.#mapping;
      return this.#ask<readonly LayerNode[]>([], path, (inner) => store.trail(caller, top, inner, signal));
    }
    const depth = this.#mapping.outer.segments.length;
    // From below, for a path that is there is asked for most often, and all above it is then known to be directories.
    for (let at = path; at.segments.length > depth; at = at.parent) {
      const node = await this.#ask(undefined, at, (inner) => store.stat(caller, inner, signal));
      if (node !== undefined) {
        return [...at.segments.slice(depth + 1).map(() => directory), node];
      }
    }
    return [];
  }

  /** A page of a directory; empty when there is none. */
  async list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<LayerPage> {
    const { store } = this;
    const list = (inner: VirtualPath): Promise<LayerPage> =>
      isMarked(store) ? store.listMarked(caller, inner, request, signal) : store.list(caller, inner, request, signal);
    try {
      return await this.#ask(emptyPage, path, list);
    } catch (error) {
      if (error instanceof FileError) {
        return emptyPage;
      }
      throw error;
    }
  }

  read(caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    return this.#at(path, (inner) => this.store.read(caller, inner, range, signal));
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
      const isDenied = error instanceof FileError && error.reason === 'FILE_ACCESS_DENIED';
      if (isDenied && this.#options.hidesDenied) {
        return missing;
      }
      if (!this.#options.isOptional || !isDiskUnavailable(error)) {
        throw error;
      }
      this.#isMissing = true;
      this.#options.onMissing();
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
