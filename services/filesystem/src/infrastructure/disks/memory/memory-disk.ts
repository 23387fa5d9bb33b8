import type { Clock } from '@spanwise/kernel';
import type { Caller } from '../../../domain/disk/caller.ts';
import {
  directoryNotEmpty,
  etagMismatch,
  fileExists,
  fileNotFound,
  notADirectory,
  notAFile,
  pathUnusable,
} from '../../../domain/disk/file-errors.ts';
import {
  type ByteRange,
  type DirectoryNode,
  type DiskNode,
  type DiskPage,
  type FileNode,
  type FileSlice,
  type FileStore,
  type ListRequest,
  maxFileBytes,
  type RemoveRequest,
  type WriteGuard,
  type WriteOutcome,
} from '../../../domain/disk/file-store.ts';
import { compareNames } from '../../../domain/path/name-order.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { contentEtag } from '../content-etag.ts';

interface MemoryFile {
  readonly node: FileNode;
  readonly data: Uint8Array;
}

class MemoryDirectory {
  readonly entries = new Map<string, MemoryFile | MemoryDirectory>();
}

type Entry = MemoryFile | MemoryDirectory;

const directoryNode: DirectoryNode = { kind: 'directory', modifyTimeMs: undefined };

/** A tree in memory. Each operation is one step: nothing can come in between. */
export class MemoryDisk implements FileStore {
  readonly capabilities = { ifMatch: true, createOnly: true, atomic: false };
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #root = new MemoryDirectory();

  constructor({ clock }: { readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#clock = clock;
  }

  async stat(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    signal.throwIfAborted();
    const entry = this.#find(path);
    return entry === undefined ? undefined : nodeOf(entry);
  }

  async list(
    _caller: Caller,
    path: VirtualPath,
    { after, limit }: ListRequest,
    signal: AbortSignal,
  ): Promise<DiskPage> {
    signal.throwIfAborted();
    const directory = this.#existing(path);
    if (!(directory instanceof MemoryDirectory)) {
      throw notADirectory(path);
    }
    const names = [...directory.entries.keys()].filter((name) => after === '' || compareNames(name, after) > 0);
    const page = names.toSorted(compareNames).slice(0, limit);
    const entries = page.map((name) => ({ name, node: nodeOf(directory.entries.get(name) ?? directory) }));
    return { entries, next: names.length > limit ? page.at(-1) : undefined };
  }

  async read(
    _caller: Caller,
    path: VirtualPath,
    { offset, length }: ByteRange,
    signal: AbortSignal,
  ): Promise<FileSlice> {
    signal.throwIfAborted();
    const file = this.#existing(path);
    if (file instanceof MemoryDirectory) {
      throw notAFile(path);
    }
    return { data: file.data.slice(offset, offset + Math.min(length, maxFileBytes)), node: file.node };
  }

  async write(
    _caller: Caller,
    path: VirtualPath,
    data: Uint8Array,
    { ifMatch, createOnly }: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    signal.throwIfAborted();
    const old = this.#find(path);
    if (old !== undefined && createOnly === true) {
      throw fileExists(path);
    }
    if (old instanceof MemoryDirectory) {
      throw notAFile(path);
    }
    if (ifMatch !== undefined && ifMatch !== old?.node.etag) {
      throw etagMismatch(path, old?.node.etag ?? '');
    }
    const node: FileNode = {
      kind: 'file',
      size: data.length,
      etag: contentEtag(data),
      modifyTimeMs: this.#clock.nowMs(),
    };
    this.#directory(path.parent).entries.set(path.name, { node, data: data.slice() });
    return { node, isCreated: old === undefined };
  }

  async remove(
    _caller: Caller,
    path: VirtualPath,
    { isRecursive, ifMatch }: RemoveRequest,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    if (path.isRoot) {
      throw pathUnusable(path, 'the root of a disk stays');
    }
    const entry = this.#existing(path);
    const etag = entry instanceof MemoryDirectory ? '' : entry.node.etag;
    if (ifMatch !== undefined && ifMatch !== etag) {
      throw etagMismatch(path, etag);
    }
    if (entry instanceof MemoryDirectory && entry.entries.size > 0 && !isRecursive) {
      throw directoryNotEmpty(path);
    }
    this.#directory(path.parent).entries.delete(path.name);
  }

  async rename(_caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode> {
    signal.throwIfAborted();
    if (from.isRoot) {
      throw pathUnusable(from, 'the root of a disk stays');
    }
    const entry = this.#existing(from);
    if (this.#find(to) !== undefined) {
      throw fileExists(to);
    }
    if (to.isWithin(from)) {
      throw pathUnusable(to, 'it lies within what is moved');
    }
    this.#directory(to.parent).entries.set(to.name, entry);
    this.#directory(from.parent).entries.delete(from.name);
    return nodeOf(entry);
  }

  async makeDirectory(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    signal.throwIfAborted();
    this.#directory(path);
    return directoryNode;
  }

  #find(path: VirtualPath): Entry | undefined {
    return path.segments.reduce<Entry | undefined>(
      (entry, name) => (entry instanceof MemoryDirectory ? entry.entries.get(name) : undefined),
      this.#root,
    );
  }

  #existing(path: VirtualPath): Entry {
    const entry = this.#find(path);
    if (entry === undefined) {
      throw fileNotFound(path);
    }
    return entry;
  }

  /** The directory at a path, made with those above it unless a file is in the way. */
  #directory(path: VirtualPath): MemoryDirectory {
    if (path.isRoot) {
      return this.#root;
    }
    const entry = this.#find(path);
    if (entry instanceof MemoryDirectory) {
      return entry;
    }
    if (entry !== undefined) {
      throw notADirectory(path);
    }
    const made = new MemoryDirectory();
    this.#directory(path.parent).entries.set(path.name, made);
    return made;
  }
}

function nodeOf(entry: Entry): DiskNode {
  return entry instanceof MemoryDirectory ? directoryNode : entry.node;
}
