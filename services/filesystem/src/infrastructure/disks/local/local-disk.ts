import { concurrently, type IdGenerator } from '@spanwise/kernel';
import type { Caller } from '../../../domain/disk/caller.ts';
import { diskUnavailable } from '../../../domain/disk/disk-errors.ts';
import {
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
  type DiskEntry,
  type DiskNode,
  type DiskPage,
  type FileSlice,
  type FileStore,
  type ListRequest,
  maxFileBytes,
  type RemoveRequest,
  type WriteGuard,
  type WriteOutcome,
} from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { contentEtag } from '../content-etag.ts';
import { FileEtags } from './file-etags.ts';
import type { Folder, NoFolder } from './folder.ts';
import { FolderNames } from './folder-names.ts';
import { openLeaf } from './leaf.ts';
import { moveInto, nodeToMove, putInPlace, takeOut } from './local-changes.ts';
import { cheapNodeAt, directoryNodeOf, fileNodeOf, nodeAt, readBytes } from './local-nodes.ts';
import { removeFolder } from './remove-folder.ts';
import { codeOf } from './system-error.ts';
import { discard, isTemporaryName, temporaryNameOf, writeTemporary } from './temporary-file.ts';
import { withinFolder } from './walk-folders.ts';

export interface LocalDiskDeps {
  readonly name: string;
  /** The disk disposes of it. */
  readonly root: Folder;
  readonly ids: Pick<IdGenerator, 'traceId'>;
}

/** How often a write starts again because its directory was removed meanwhile. */
const maxWriteAttempts = 5;
/** Entries of one listing that are looked at at once: what the threads of the process can do. */
const entriesAtOnce = 4;

/**
 * A folder of the host. What is in it is reached from descriptor to descriptor and never through a link, so that nobody
 * who can make links in it gets out of it. Guards hold against all requests to this process; other processes that write
 * into the folder are not guarded against, so that one replica at most may serve it writable.
 */
export class LocalDisk implements FileStore, AsyncDisposable {
  readonly capabilities = { ifMatch: true, createOnly: true, atomic: false };
  readonly #deps: LocalDiskDeps;
  readonly #etags = new FileEtags();
  readonly #names = new FolderNames();
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(deps: LocalDiskDeps) {
    this.#deps = deps;
  }

  stat(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    return this.#attempt(path, signal, () =>
      this.#reading<DiskNode | undefined>(
        path.parent,
        () => undefined,
        (folder) => nodeAt(folder, leafName(path), this.#etags, signal),
      ),
    );
  }

  list(_caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    const refused = (why: NoFolder, at: VirtualPath) => {
      const isMissing = why === 'missing' || (why === 'other' && !at.equals(path));
      throw isMissing ? fileNotFound(path) : notADirectory(at);
    };
    return this.#attempt(path, signal, () =>
      this.#reading<DiskPage>(path, refused, async (folder) => {
        const { names, hasMore } = await this.#names.page(folder, request.after, request.limit, signal);
        const entryOf = async (name: string): Promise<DiskEntry[]> => {
          const node = request.withEtags
            ? await nodeAt(folder, name, this.#etags, signal)
            : await cheapNodeAt(folder, name);
          return node === undefined ? [] : [{ name, node }];
        };
        const entries = await concurrently(names, entriesAtOnce, entryOf);
        return { entries: entries.flat(), next: hasMore ? names.at(-1) : undefined };
      }),
    );
  }

  read(_caller: Caller, path: VirtualPath, { offset, length }: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    const refused = (why: NoFolder) => {
      throw why === 'link' ? notAFile(path) : fileNotFound(path);
    };
    return this.#attempt(path, signal, () =>
      this.#reading<FileSlice>(path.parent, refused, async (folder) => {
        await using leaf = await openLeaf(folder, leafName(path));
        if (leaf.kind !== 'file') {
          throw leaf.kind === 'missing' ? fileNotFound(path) : notAFile(path);
        }
        const node = await fileNodeOf(leaf, this.#etags, signal);
        return { data: await readBytes(leaf, offset, Math.min(length, maxFileBytes)), node };
      }),
    );
  }

  write(
    _caller: Caller,
    path: VirtualPath,
    data: Uint8Array,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    return this.#attempt(path, signal, async () => {
      if (path.isRoot) {
        throw guard.createOnly === true ? fileExists(path) : notAFile(path);
      }
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.#writeOnce(path, data, guard, signal);
        } catch (error) {
          if (codeOf(error) !== 'ENOENT' || attempt === maxWriteAttempts) {
            throw error;
          }
        }
      }
    });
  }

  remove(_caller: Caller, path: VirtualPath, request: RemoveRequest, signal: AbortSignal): Promise<void> {
    const refused = () => {
      throw fileNotFound(path);
    };
    return this.#attempt(path, signal, async () => {
      assertNotRoot(path);
      await this.#reading<void>(path.parent, refused, async (folder) => {
        const left = temporaryNameOf(this.#deps.ids.traceId());
        const isLeft = await this.#inTurn(() => takeOut(folder, path, request, left, this.#etags, signal));
        await folder.sync();
        if (isLeft) {
          await removeFolder(folder, left);
        }
      });
    });
  }

  rename(_caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode> {
    const refused = () => {
      throw fileNotFound(from);
    };
    return this.#attempt(to, signal, async () => {
      assertNotRoot(from);
      assertNotReserved(from);
      const intoPlace = (source: Folder) => (target: Folder) => moveInto(source, target, from, to);
      const move = async (source: Folder) => {
        const node = await nodeToMove(source, from, to, this.#etags, signal);
        await this.#making(to.parent, intoPlace(source));
        await source.sync();
        return node;
      };
      return this.#inTurn(() => this.#reading<DiskNode>(from.parent, refused, move));
    });
  }

  makeDirectory(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    return this.#attempt(path, signal, () =>
      this.#making<DirectoryNode>(path, async (folder) => {
        await using leaf = await openLeaf(folder, '.');
        return leaf.kind === 'directory' ? directoryNodeOf(leaf.stats) : { kind: 'directory', modifyTimeMs: undefined };
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lastTurn;
    await this.#deps.root[Symbol.asyncDispose]();
  }

  #writeOnce(path: VirtualPath, data: Uint8Array, guard: WriteGuard, signal: AbortSignal): Promise<WriteOutcome> {
    const write = async (folder: Folder): Promise<WriteOutcome> => {
      const temporary = temporaryNameOf(this.#deps.ids.traceId());
      const modifyTimeMs = await writeTemporary(folder, temporary, data);
      try {
        const isCreated = await this.#inTurn(() => putInPlace(folder, temporary, path, guard, this.#etags, signal));
        await folder.sync();
        return { node: { kind: 'file', size: data.length, etag: contentEtag(data), modifyTimeMs }, isCreated };
      } catch (error) {
        await discard(folder, temporary);
        throw error;
      }
    };
    // A guard that can not hold makes no directories.
    return guard.ifMatch === undefined
      ? this.#making<WriteOutcome>(path.parent, write)
      : this.#reading<WriteOutcome>(
          path.parent,
          (why, at) => {
            throw why === 'missing' ? etagMismatch(path, '') : notADirectory(at);
          },
          write,
        );
  }

  #reading<Result>(
    path: VirtualPath,
    refused: (why: NoFolder, at: VirtualPath) => Result,
    work: (folder: Folder) => Promise<Result>,
  ): Promise<Result> {
    return withinFolder(this.#deps.root, path, { makesMissing: false, refused }, work);
  }

  #making<Result>(path: VirtualPath, work: (folder: Folder) => Promise<Result>): Promise<Result> {
    const refused = (why: NoFolder, at: VirtualPath) => {
      // Missing: it was removed again as soon as it was made.
      throw why === 'missing' ? fileNotFound(at) : notADirectory(at);
    };
    return withinFolder(this.#deps.root, path, { makesMissing: true, refused }, work);
  }

  /** Steps that check and then change come one after another, so that a guard holds until its change is done. */
  #inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastTurn.then(step);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** Tells errors of the operating system as those of a disk. */
  async #attempt<Result>(path: VirtualPath, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    assertNotReserved(path);
    try {
      return await work();
    } catch (error) {
      switch (codeOf(error)) {
        case undefined:
          throw error;
        case 'ENAMETOOLONG':
          throw pathUnusable(path, 'a name is too long for the disk');
        default:
          throw diskUnavailable(this.#deps.name, error);
      }
    }
  }
}

/** The name by which a folder holds what is at a path; the root holds itself. */
function leafName(path: VirtualPath): string {
  return path.isRoot ? '.' : path.name;
}

function assertNotRoot(path: VirtualPath): void {
  if (path.isRoot) {
    throw pathUnusable(path, 'the root of a disk stays');
  }
}

function assertNotReserved(path: VirtualPath): void {
  if (path.segments.some(isTemporaryName)) {
    throw pathUnusable(path, 'the name is reserved');
  }
}
