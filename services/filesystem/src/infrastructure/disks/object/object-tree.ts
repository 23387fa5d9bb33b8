import { directoryNotEmpty, fileTooLarge } from '../../../domain/disk/file-errors.ts';
import { maxStreamedBytes } from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { forEachAtMost } from './at-most.ts';
import type { ObjectFiles } from './object-files.ts';
import { isReachable, type ObjectKeys } from './object-keys.ts';
import type { ObjectStore } from './object-store.ts';
import type { StoredObject } from './stored-object.ts';

const atOnce = 16;

interface DirectoryContent {
  readonly files: readonly { readonly path: VirtualPath; readonly size: number }[];
  /** Directories that have a marker, each before what is in it. */
  readonly marked: readonly VirtualPath[];
}

interface FileMove {
  readonly from: VirtualPath;
  readonly to: VirtualPath;
}

/** Whole directories of a store: many keys, one after the other. */
export class ObjectTree {
  readonly #store: ObjectStore;
  readonly #keys: ObjectKeys;
  readonly #files: ObjectFiles;

  constructor(store: ObjectStore, keys: ObjectKeys, files: ObjectFiles) {
    this.#store = store;
    this.#keys = keys;
    this.#files = files;
  }

  /** Whether a directory holds nothing, not even what no path leads to. */
  async isEmpty(path: VirtualPath, signal: AbortSignal): Promise<boolean> {
    const directory = this.#keys.directory(path);
    for await (const { key } of this.#store.list(directory, { pageKeys: 2, isRecursive: true }, signal)) {
      if (key !== directory.key) {
        return false;
      }
    }
    return true;
  }

  /**
   * Removes a directory with all in it, from below. Throws DIRECTORY_NOT_EMPTY, and has removed nothing, when there is
   * something in it that no path leads to: such a key could be taken for one that lies elsewhere.
   */
  async remove(path: VirtualPath, signal: AbortSignal): Promise<void> {
    const { files, marked } = await this.#contentOf(path, signal);
    await forEachAtMost(atOnce, files, (file) => this.#store.remove(this.#keys.file(file.path), signal));
    await this.#unmark(marked, signal);
  }

  /** Moves a directory. Throws FILE_TOO_LARGE, DIRECTORY_NOT_EMPTY or PATH_INVALID before anything is changed. */
  async moveDirectory(from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<void> {
    const { files, marked } = await this.#contentOf(from, signal);
    const large = files.find(({ size }) => size > maxStreamedBytes);
    if (large !== undefined) {
      throw fileTooLarge(large.path, maxStreamedBytes);
    }
    const moved = (path: VirtualPath) => path.relativeTo(from).below(to);
    const moves = files.map(({ path }) => ({ from: path, to: moved(path) }));
    const directories = [to, ...marked.map(moved)];
    const targets = [...directories, ...moves.map((move) => move.to)];
    for (const target of targets) {
      this.#keys.file(target);
    }
    try {
      await forEachAtMost(atOnce, directories, (path) => this.#store.mark(this.#keys.directory(path), signal));
      await this.moveFiles(moves, signal);
    } catch (error) {
      await this.#unmark(directories, new AbortController().signal).catch(() => undefined);
      throw error;
    }
    await this.#unmark(marked, signal);
  }

  /**
   * Copies files to where nothing is, and then removes those that were copied. When it fails before, the copies go again.
   * Answers how many there were. Throws FILE_EXISTS or FILE_TOO_LARGE.
   */
  async moveFiles(moves: readonly FileMove[], signal: AbortSignal): Promise<number> {
    const copied: (FileMove & { readonly original: StoredObject })[] = [];
    try {
      await forEachAtMost(atOnce, moves, async (move) => {
        const original = await this.#files.copy(move.from, move.to, signal);
        if (original !== undefined) {
          copied.push({ ...move, original });
        }
      });
      await forEachAtMost(atOnce, copied, ({ from, original }) => this.#files.assertUnchanged(from, original, signal));
    } catch (error) {
      const undo = (move: FileMove) => this.#store.remove(this.#keys.file(move.to), new AbortController().signal);
      await forEachAtMost(atOnce, copied, undo).catch(() => undefined);
      throw error;
    }
    await forEachAtMost(atOnce, copied, ({ from }) => this.#store.remove(this.#keys.file(from), signal));
    return copied.length;
  }

  /** Removes markers from below. */
  async #unmark(directories: readonly VirtualPath[], signal: AbortSignal): Promise<void> {
    const fromBelow = directories.toSorted((left, right) => right.segments.length - left.segments.length);
    for (const path of fromBelow) {
      await this.#store.remove(this.#keys.directory(path), signal);
    }
  }

  async #contentOf(top: VirtualPath, signal: AbortSignal): Promise<DirectoryContent> {
    const files: { path: VirtualPath; size: number }[] = [];
    const marked: VirtualPath[] = [];
    const directory = this.#keys.directory(top);
    for await (const { key, object } of this.#store.list(directory, { isRecursive: true }, signal)) {
      const isMarker = key.endsWith('/');
      const path = pathOf(top, key.slice(directory.key.length, isMarker ? -1 : undefined));
      if (path === undefined) {
        throw directoryNotEmpty(top);
      }
      if (isMarker) {
        marked.push(path);
      } else {
        files.push({ path, size: object.size });
      }
    }
    return { files, marked };
  }
}

/** The path of a key below a directory; undefined when none leads to it. */
function pathOf(top: VirtualPath, key: string): VirtualPath | undefined {
  const segments = key === '' ? [] : key.split('/');
  return segments.reduce<VirtualPath | undefined>(
    (path, segment) => (isReachable(segment) ? path?.entry(segment) : undefined),
    top,
  );
}
