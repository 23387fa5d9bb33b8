import type { IdGenerator } from '@spanwise/kernel';
import type { Caller } from '../../../domain/disk/caller.ts';
import { diskUnsupported, isDiskUnavailable } from '../../../domain/disk/disk-errors.ts';
import {
  directoryNotEmpty,
  etagMismatch,
  fileExists,
  fileNotFound,
  notADirectory,
  notAFile,
  pathUnusable,
} from '../../../domain/disk/file-errors.ts';
import type {
  ByteRange,
  DirectoryNode,
  DiskCapabilities,
  DiskNode,
  DiskPage,
  FileSlice,
  FileStore,
  ListRequest,
  RemoveRequest,
  WriteGuard,
  WriteOutcome,
} from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { entriesWithHashes, entryOf } from './disk-entries.ts';
import { assertGuard, ObjectFiles } from './object-files.ts';
import type { ObjectKeys } from './object-keys.ts';
import { listDirectory } from './object-listing.ts';
import type { ObjectStore } from './object-store.ts';
import { ObjectTree } from './object-tree.ts';
import { PathTurns } from './path-turns.ts';
import { type ObjectAbilities, probeStore } from './probe-store.ts';
import { directoryNode, fileNodeOf } from './stored-object.ts';
import { untilAborted } from './until-aborted.ts';

export interface ObjectDiskDeps {
  readonly store: ObjectStore;
  readonly keys: ObjectKeys;
  readonly ids: Pick<IdGenerator, 'traceId'>;
  /** Milliseconds that a start waits for what the store can do. */
  readonly probeTimeoutMs: number;
}

interface OpenObjects {
  readonly abilities: ObjectAbilities;
  readonly files: ObjectFiles;
  readonly tree: ObjectTree;
}

/**
 * Files as objects of a store. A directory is what keys begin with, or an empty object `name/` that marks it. Guards of
 * writes are the store's own conditions, as far as it was seen to honour them, and hold among all who write there. What
 * takes several requests is one step among the changes of this process only: moves, guarded removals, and that no file
 * comes to be where a directory is.
 */
export class ObjectDisk implements FileStore {
  readonly #deps: ObjectDiskDeps;
  readonly #turns = new PathTurns();
  #opening: Promise<OpenObjects> | undefined;
  #abilities: ObjectAbilities | undefined;

  constructor(deps: ObjectDiskDeps) {
    this.#deps = deps;
  }

  /** Until the store could be reached for the first time all is promised; each change looks again. */
  get capabilities(): DiskCapabilities {
    const { ifMatch, createOnly } = this.#abilities ?? { ifMatch: true, createOnly: true };
    return { ifMatch, createOnly, atomic: false };
  }

  /** Finds out what the store can do. One that does not answer, or not in time, is asked again at first use. */
  async probe(): Promise<void> {
    const late = AbortSignal.timeout(this.#deps.probeTimeoutMs);
    try {
      await this.#open(late);
    } catch (error) {
      if (!late.aborted && !isDiskUnavailable(error)) {
        throw error;
      }
    }
  }

  async stat(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    const { files } = await this.#open(signal);
    return this.#nodeAt(files, path, signal);
  }

  async list(_caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    const { abilities, files } = await this.#open(signal);
    const { store, keys } = this.#deps;
    const page = await listDirectory(store, keys, path, request, signal);
    if (!page.isThere) {
      const node = await this.#nodeAt(files, path, signal);
      if (node?.kind !== 'directory') {
        throw node === undefined ? fileNotFound(path) : notADirectory(path);
      }
    }
    const withHashes = request.withEtags && abilities.keepsHashes;
    const entries = withHashes ? await entriesWithHashes(files, path, page.entries, signal) : page.entries.map(entryOf);
    return { entries, next: page.hasMore ? page.entries.at(-1)?.name : undefined };
  }

  async read(_caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    const { files } = await this.#open(signal);
    const slice = path.isRoot ? undefined : await files.slice(path, range, signal);
    if (slice === undefined) {
      throw (await this.#isDirectory(path, signal)) ? notAFile(path) : fileNotFound(path);
    }
    return slice;
  }

  async write(
    _caller: Caller,
    path: VirtualPath,
    data: Uint8Array,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const content = data.slice();
    const { abilities, files } = await this.#open(signal);
    this.#assertHonours(abilities, guard);
    return this.#turns.run([path], signal, async () => {
      const [isDirectory, obstacle] = await Promise.all([
        this.#isDirectory(path, signal),
        this.#fileAbove(files, path, signal),
      ]);
      if (isDirectory) {
        throw guard.createOnly === true ? fileExists(path) : notAFile(path);
      }
      if (obstacle !== undefined) {
        assertGuard(path, undefined, guard);
        throw notADirectory(obstacle);
      }
      return files.write(path, content, guard, signal);
    });
  }

  async remove(
    _caller: Caller,
    path: VirtualPath,
    { isRecursive, ifMatch }: RemoveRequest,
    signal: AbortSignal,
  ): Promise<void> {
    if (path.isRoot) {
      throw pathUnusable(path, 'the root of a disk stays');
    }
    const { abilities, files, tree } = await this.#open(signal);
    this.#assertHonours(abilities, { ifMatch });
    await this.#turns.run([path], signal, async () => {
      const node = await this.#nodeAt(files, path, signal);
      if (node === undefined) {
        throw fileNotFound(path);
      }
      const etag = node.kind === 'file' ? node.etag : '';
      if (ifMatch !== undefined && ifMatch !== etag) {
        throw etagMismatch(path, etag);
      }
      if (node.kind === 'directory' && !isRecursive && !(await tree.isEmpty(path, signal))) {
        throw directoryNotEmpty(path);
      }
      await this.#keepParent(path, signal);
      await (node.kind === 'file'
        ? this.#deps.store.remove(this.#deps.keys.file(path), signal)
        : tree.remove(path, signal));
    });
  }

  async rename(_caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode> {
    if (from.isRoot) {
      throw pathUnusable(from, 'the root of a disk stays');
    }
    const { abilities, files, tree } = await this.#open(signal);
    return this.#turns.run([from, to], signal, async () => {
      const node = await this.#nodeAt(files, from, signal);
      if (node === undefined) {
        throw fileNotFound(from);
      }
      if ((await this.#nodeAt(files, to, signal)) !== undefined) {
        throw fileExists(to);
      }
      const obstacle = await this.#fileAbove(files, to, signal);
      if (obstacle !== undefined) {
        throw notADirectory(obstacle);
      }
      if (to.isWithin(from)) {
        throw pathUnusable(to, 'it lies within what is moved');
      }
      if (!abilities.createOnly) {
        throw diskUnsupported(this.#deps.store.name, 'moves: its store could replace other files by them');
      }
      await this.#keepParent(from, signal);
      if (node.kind === 'directory') {
        await tree.moveDirectory(from, to, signal);
      } else if ((await tree.moveFiles([{ from, to }], signal)) === 0) {
        throw fileNotFound(from);
      }
      return node;
    });
  }

  async makeDirectory(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    const { files } = await this.#open(signal);
    return this.#turns.run([path], signal, async () => {
      const [node, obstacle] = await Promise.all([
        this.#nodeAt(files, path, signal),
        this.#fileAbove(files, path, signal),
      ]);
      if (node?.kind === 'file' || obstacle !== undefined) {
        throw notADirectory(obstacle ?? path);
      }
      if (node === undefined) {
        await this.#deps.store.mark(this.#deps.keys.directory(path), signal);
      }
      return directoryNode;
    });
  }

  async #open(signal: AbortSignal): Promise<OpenObjects> {
    this.#opening ??= this.#probed();
    return untilAborted(this.#opening, signal);
  }

  async #probed(): Promise<OpenObjects> {
    const { store, keys, ids } = this.#deps;
    try {
      const abilities = await probeStore(store, keys.probe(ids.traceId()));
      const files = new ObjectFiles(store, keys, abilities);
      this.#abilities = abilities;
      return { abilities, files, tree: new ObjectTree(store, keys, files) };
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  /** For guards that were let through before the store could be asked. */
  #assertHonours({ ifMatch, createOnly }: ObjectAbilities, guard: WriteGuard): void {
    if (guard.ifMatch !== undefined && !ifMatch) {
      throw diskUnsupported(this.#deps.store.name, 'if_match');
    }
    if (guard.createOnly === true && !createOnly) {
      throw diskUnsupported(this.#deps.store.name, 'create_only');
    }
  }

  /** Where others have made a file and a directory of one name, it is the file. */
  async #nodeAt(files: ObjectFiles, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    const object = path.isRoot ? undefined : await files.find(path, signal);
    if (object !== undefined) {
      return fileNodeOf(object);
    }
    return (await this.#isDirectory(path, signal)) ? directoryNode : undefined;
  }

  async #isDirectory(path: VirtualPath, signal: AbortSignal): Promise<boolean> {
    const { store, keys } = this.#deps;
    return path.isRoot || store.hasDirectory(keys.directory(path), signal);
  }

  /** The file that a path would have as a directory above it. */
  async #fileAbove(files: ObjectFiles, path: VirtualPath, signal: AbortSignal): Promise<VirtualPath | undefined> {
    const above: VirtualPath[] = [];
    for (let each = path.parent; !each.isRoot; each = each.parent) {
      above.push(each);
    }
    const found = await Promise.all(above.map((each) => files.find(each, signal)));
    return above.find((_, index) => found[index] !== undefined);
  }

  /** A directory stays when the last of what is in it goes. */
  async #keepParent({ parent }: VirtualPath, signal: AbortSignal): Promise<void> {
    if (!parent.isRoot) {
      await this.#deps.store.mark(this.#deps.keys.directory(parent), signal);
    }
  }
}
