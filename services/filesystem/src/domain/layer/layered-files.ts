import type { BlobTarget, StoredContent } from '../disk/blob-target.ts';
import type { Caller } from '../disk/caller.ts';
import type { CopyOutcome, CopyTarget } from '../disk/copy-target.ts';
import {
  directoryNotEmpty,
  etagMismatch,
  fileExists,
  fileNotFound,
  notADirectory,
  notAFile,
  pathUnusable,
} from '../disk/file-errors.ts';
import type {
  ByteRange,
  DirectoryNode,
  DiskCapabilities,
  DiskNode,
  DiskPage,
  FileNode,
  FileSlice,
  ListRequest,
  RemoveRequest,
  WriteGuard,
  WriteOutcome,
} from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import { UnionSource } from '../union/union-source.ts';
import { UnionStore } from '../union/union-store.ts';
import type { BlobFinder } from './blob-source.ts';
import { viewClosed } from './layer-errors.ts';
import { LayerFiles, pathsBetween } from './layer-files.ts';
import { type LayerChanges, type LayerPut, type LayerRows, noChanges } from './layer-rows.ts';
import { copyTree, removeTree, type TreeWork } from './layer-trees.ts';
import { SeenPath } from './seen-path.ts';

/** What lies below the layer of a run at one mount. */
export interface LowerMount {
  /** The mount. */
  readonly top: VirtualPath;
  /** Highest priority first; the first is where the layer is published. */
  readonly sources: readonly UnionSource[];
  /** Whether that disk can tell later what was changed in a directory. */
  readonly keepsVersions: boolean;
  /** The name of that disk, if it counts what users have: a layer then reserves on it what it has. */
  readonly meteredDisk?: string | undefined;
  readonly capabilities: DiskCapabilities;
}

export interface LayeredFilesDeps {
  readonly rows: LayerRows;
  readonly lower: LowerMount;
  /** What lies below at another path of the view. */
  readonly lowerAt: (path: VirtualPath) => LowerMount;
  /** Makes a change. Throws when it was overtaken. */
  readonly make: (changes: LayerChanges) => Promise<void>;
  /** SHA-256 in hex. */
  readonly digest: (data: Uint8Array) => string;
  readonly nowMs: () => number;
}

interface CopyPlan {
  readonly changes: LayerChanges;
  /** What is copied. */
  readonly node: DiskNode;
  /** What is at the new path then. */
  readonly copied: DiskNode;
  readonly files: number;
}

const directoryNode: DirectoryNode = { kind: 'directory', modifyTimeMs: undefined };

/**
 * The files at a mount as a run sees and changes them, in paths of the view: its layer over all that is below. Nothing below
 * is changed. What a change does is decided on what is read, and made if the layer is still the same.
 */
export class LayeredFiles implements BlobTarget, BlobFinder, CopyTarget {
  readonly takesBlobs = true;
  readonly copiesFromView = true;
  readonly capabilities: DiskCapabilities;
  readonly #deps: LayeredFilesDeps;
  readonly #layer: LayerFiles;
  readonly #merged: UnionStore;

  constructor(deps: LayeredFilesDeps) {
    this.#deps = deps;
    this.#layer = new LayerFiles(deps.rows);
    this.#merged = this.#mergedAt(deps.lower);
    this.capabilities = { ifMatch: deps.lower.capabilities.ifMatch, createOnly: true, atomic: true };
  }

  stat(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    return this.#merged.stat(caller, path, signal);
  }

  list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    return this.#merged.list(caller, path, request, signal);
  }

  read(caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    return this.#merged.read(caller, path, range, signal);
  }

  findBlob(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<FileNode | undefined> {
    return this.#merged.findBlob(caller, path, signal);
  }

  write(
    caller: Caller,
    path: VirtualPath,
    data: Uint8Array,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const content = { etag: this.#deps.digest(data), size: data.length, data };
    return this.#write(caller, path, content, guard, signal);
  }

  writeStored(
    caller: Caller,
    path: VirtualPath,
    content: StoredContent,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    return this.#write(caller, path, content, guard, signal);
  }

  async #write(
    caller: Caller,
    path: VirtualPath,
    { etag, size, ...content }: StoredContent & Pick<LayerPut, 'data'>,
    { ifMatch, createOnly }: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const version = await this.#begin();
    const seen = await this.#see(caller, path, signal);
    const there = this.#isTop(path) ? directoryNode : seen.node;
    if (there !== undefined && createOnly === true) {
      throw fileExists(path);
    }
    const parents = seen.parents();
    if (there?.kind === 'directory') {
      throw notAFile(path);
    }
    if (ifMatch !== undefined && ifMatch !== there?.etag) {
      throw etagMismatch(path, there?.etag ?? '');
    }
    const { nowMs, make } = this.#deps;
    const node: FileNode = { kind: 'file', size, etag, modifyTimeMs: nowMs() };
    const put: LayerPut = { entry: { path, node, base: seen.base }, ...content };
    await make({ ...noChanges, version, puts: [...parents, put] });
    return { node, isCreated: there === undefined };
  }

  async remove(caller: Caller, path: VirtualPath, request: RemoveRequest, signal: AbortSignal): Promise<void> {
    this.#assertNotTop(path);
    const version = await this.#begin();
    const seen = await this.#see(caller, path, signal);
    const there = seen.node;
    if (there === undefined) {
      throw fileNotFound(path);
    }
    const etag = there.kind === 'file' ? there.etag : '';
    if (request.ifMatch !== undefined && request.ifMatch !== etag) {
      throw etagMismatch(path, etag);
    }
    if (there.kind === 'directory' && !request.isRecursive && !(await this.#isEmpty(caller, path, signal))) {
      throw directoryNotEmpty(path);
    }
    await this.#deps.make({ version, ...(await removeTree(this.#work(caller, signal), seen, path)) });
  }

  async rename(caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode> {
    this.#assertNotTop(from);
    const { changes, node } = await this.#planCopy(caller, from, to, signal);
    const source = await this.#see(caller, from, signal);
    const removal = await removeTree(this.#work(caller, signal), source, from);
    const { version } = changes;
    await this.#deps.make({ version, puts: [...removal.puts, ...changes.puts], removed: removal.removed });
    return node;
  }

  async copy(caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<CopyOutcome> {
    const { changes, copied, files } = await this.#planCopy(caller, from, to, signal);
    await this.#deps.make(changes);
    return { node: copied, files };
  }

  async makeDirectory(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    const version = await this.#begin();
    const seen = await this.#see(caller, path, signal);
    const there = this.#isTop(path) ? directoryNode : seen.node;
    if (there?.kind === 'file') {
      throw notADirectory(path);
    }
    const puts = there === undefined ? [...seen.parents(), seen.directory()] : [];
    await this.#deps.make({ ...noChanges, version, puts });
    return directoryNode;
  }

  async #planCopy(caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<CopyPlan> {
    const version = await this.#begin();
    const source = await this.#see(caller, from, signal);
    const target = await this.#see(caller, to, signal);
    // A mount is always there, and is no path below itself.
    const node = this.#isTop(from) ? directoryNode : source.node;
    if (node === undefined) {
      throw fileNotFound(from);
    }
    if (target.node !== undefined || this.#isTop(to)) {
      throw fileExists(to);
    }
    if (to.isWithin(from)) {
      throw pathUnusable(to, 'it lies within what is moved');
    }
    const copies = await copyTree(this.#work(caller, signal), from, to, node);
    const [top] = copies;
    // What is read from other disks may be of another moment than what was seen.
    const copied = top?.entry.node.kind === 'file' ? top.entry.node : directoryNode;
    const files = copies.filter(({ entry }) => entry.node.kind === 'file').length;
    return { changes: { ...noChanges, version, puts: [...target.parents(), ...copies] }, node, copied, files };
  }

  #isTop(path: VirtualPath): boolean {
    return this.#deps.lowerAt(path).top.equals(path);
  }

  #assertNotTop(path: VirtualPath): void {
    if (this.#isTop(path)) {
      throw pathUnusable(path, 'a mount stays');
    }
  }

  /** The version of the layer that a change is decided on. Throws VIEW_CLOSED. */
  async #begin(): Promise<number> {
    const { state, version } = await this.#deps.rows.head();
    if (state !== 'OPEN') {
      throw viewClosed();
    }
    return version;
  }

  async #isEmpty(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<boolean> {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: DiskPage = await this.list(caller, path, { after, limit: 16, withEtags: false }, signal);
      if (page.entries.length > 0) {
        return false;
      }
      after = page.next;
    }
    return true;
  }

  #work(caller: Caller, signal: AbortSignal): TreeWork {
    const { rows, digest, lowerAt } = this.#deps;
    return {
      rows,
      digest,
      see: (path) => this.#see(caller, path, signal),
      merged: {
        list: (path, request) => this.#mergedAt(lowerAt(path)).list(caller, path, request, signal),
        find: (path) => this.#mergedAt(lowerAt(path)).find(caller, path, signal),
      },
      lower: (path) => {
        const { top, sources, keepsVersions } = lowerAt(path);
        const store = new UnionStore(top, sources);
        return { keepsVersions, list: (at, request) => store.list(caller, at, request, signal) };
      },
      read: (source, path, range) => source.read(caller, path, range, signal),
    };
  }

  #mergedAt({ top, sources }: LowerMount): UnionStore {
    return new UnionStore(top, [new UnionSource(this.#layer, { outer: top, inner: top }), ...sources]);
  }

  async #see(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<SeenPath> {
    const { rows, lowerAt } = this.#deps;
    const { top, sources } = lowerAt(path);
    const paths = pathsBetween(top, path);
    const [entries, trail] = await Promise.all([
      rows.at(paths),
      new UnionStore(top, sources).trail(caller, path, signal),
    ]);
    return new SeenPath({ paths, entries, lower: trail.slice(1).map(({ node }) => node) });
  }
}
