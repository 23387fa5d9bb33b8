import type { Clock, IdGenerator } from '@spanwise/kernel';
import type { Database, SqlExecutor } from '@spanwise/persistence';
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
  type FileSlice,
  type ListRequest,
  maxFileBytes,
  type RemoveRequest,
  type WriteGuard,
  type WriteOutcome,
} from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { TransactionalStore } from '../../changes/transactional-store.ts';
import { contentEtag } from '../content-etag.ts';
import { type BlobContent, changeBlobUses } from './blobs.ts';
import { readSlice } from './read-slice.ts';
import { fileNodeOf, nodeOf, type TreeRow, treeDirectory } from './tree-row.ts';
import { Overtaken, TreeRows } from './tree-rows.ts';

export interface TreeDiskDeps {
  readonly name: string;
  readonly database: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'traceId'>;
}

/** Each lost attempt means that another writer has won: only met on a path that never comes to rest. */
const defaultAttempts = 100;

/**
 * Files as rows and blobs of a database, for any number of replicas. A change is one transaction that compares what it has
 * read and counts the rows that it changes; when another writer came in between it starts again. The root has no row.
 */
export class TreeDisk implements TransactionalStore {
  readonly capabilities = { ifMatch: true, createOnly: true, atomic: true };
  readonly #deps: TreeDiskDeps;
  readonly #rows: TreeRows;
  readonly #maxAttempts: number;

  constructor(deps: TreeDiskDeps, maxAttempts: number = defaultAttempts) {
    this.#deps = deps;
    this.#maxAttempts = maxAttempts;
    this.#rows = new TreeRows(deps.name, deps.database);
  }

  async stat(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    signal.throwIfAborted();
    const row = path.isRoot ? undefined : await this.#rows.at(path.text);
    return path.isRoot ? treeDirectory : row && nodeOf(row);
  }

  async list(caller: Caller, path: VirtualPath, { after, limit }: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    signal.throwIfAborted();
    const rows = await this.#rows.entries(path.text, after, limit + 1);
    if (rows.length === 0) {
      const node = await this.stat(caller, path, signal);
      if (node?.kind !== 'directory') {
        throw node === undefined ? fileNotFound(path) : notADirectory(path);
      }
    }
    const entries = rows.slice(0, limit).map((row) => ({ name: row.name, node: nodeOf(row) }));
    return { entries, next: rows.length > limit ? entries.at(-1)?.name : undefined };
  }

  async read(_caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    signal.throwIfAborted();
    const { name, database } = this.#deps;
    const length = Math.min(range.length, maxFileBytes);
    const slice = path.isRoot ? 'directory' : await readSlice(database, name, path.text, { ...range, length });
    if (slice === undefined) {
      throw fileNotFound(path);
    }
    if (slice === 'directory') {
      throw notAFile(path);
    }
    return slice;
  }

  write(
    _caller: Caller,
    path: VirtualPath,
    data: Uint8Array,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const content = { hash: contentEtag(data), data };
    return this.#change(signal, (tx, rows) => this.#write(tx, rows, path, content, guard));
  }

  remove(
    _caller: Caller,
    path: VirtualPath,
    { isRecursive, ifMatch }: RemoveRequest,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#change(signal, async (tx, rows) => {
      assertNotRoot(path);
      const row = await rows.at(path.text);
      if (row === undefined) {
        throw fileNotFound(path);
      }
      if (ifMatch !== undefined && ifMatch !== row.blob_hash) {
        throw etagMismatch(path, row.blob_hash);
      }
      if (row.kind === 'd' && !isRecursive && (await rows.entries(path.text, '', 1)).length > 0) {
        throw directoryNotEmpty(path);
      }
      const removed = await rows.subtree(row);
      await rows.delete(removed);
      const files = removed.filter(({ kind }) => kind === 'f');
      await changeBlobUses(
        tx,
        undefined,
        files.map((file) => file.blob_hash),
      );
    });
  }

  rename(_caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode> {
    return this.#change(signal, async (_tx, rows) => {
      assertNotRoot(from);
      const top = await rows.at(from.text);
      if (top === undefined) {
        throw fileNotFound(from);
      }
      if (to.isRoot || (await rows.at(to.text)) !== undefined) {
        throw fileExists(to);
      }
      if (to.isWithin(from)) {
        throw pathUnusable(to, 'it lies within what is moved');
      }
      const moved = await rows.subtree(top);
      await this.#makeDirectories(rows, to.parent);
      await rows.delete(moved);
      await rows.insert(
        moved.map((row) => ({
          ...row,
          path: to.text + row.path.slice(from.text.length),
          name: row === top ? to.name : row.name,
          stamp: this.#stamp(),
        })),
      );
      return nodeOf(top);
    });
  }

  async makeDirectory(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    const there = await this.stat(caller, path, signal);
    if (there?.kind === 'file') {
      throw notADirectory(path);
    }
    return there ?? this.#change(signal, (_tx, rows) => this.#makeDirectories(rows, path).then(() => treeDirectory));
  }

  inTransaction<Result>(
    work: (tx: SqlExecutor, store: TreeDisk) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    // Within it an attempt that lost is not made again: the whole transaction is.
    return this.#change(signal, (tx) => work(tx, new TreeDisk({ ...this.#deps, database: within(tx, this.#deps) }, 1)));
  }

  async #write(
    tx: SqlExecutor,
    rows: TreeRows,
    path: VirtualPath,
    content: BlobContent,
    { ifMatch, createOnly }: WriteGuard,
  ): Promise<WriteOutcome> {
    const old = path.isRoot ? undefined : await rows.at(path.text);
    if (createOnly === true && (path.isRoot || old !== undefined)) {
      throw fileExists(path);
    }
    if (path.isRoot || old?.kind === 'd') {
      throw notAFile(path);
    }
    if (ifMatch !== undefined && ifMatch !== old?.blob_hash) {
      throw etagMismatch(path, old?.blob_hash ?? '');
    }
    const row = this.#newRow(path, content);
    if (old === undefined) {
      await this.#makeDirectories(rows, path.parent);
      await rows.insert([row]);
    } else {
      await rows.replace(old, row);
    }
    await changeBlobUses(tx, content, old === undefined ? [] : [old.blob_hash]);
    return { node: fileNodeOf(row), isCreated: old === undefined };
  }

  /** Makes a directory and those above it; holds the deepest one, so that nobody removes it before it has an entry. */
  async #makeDirectories(rows: TreeRows, path: VirtualPath): Promise<void> {
    if (path.isRoot || (await rows.holdDirectory(path.text, this.#stamp()))) {
      return;
    }
    const row = await rows.at(path.text);
    if (row !== undefined) {
      throw row.kind === 'f' ? notADirectory(path) : new Overtaken(this.#deps.name);
    }
    await this.#makeDirectories(rows, path.parent);
    await rows.insert([this.#newRow(path, undefined)]);
  }

  async #change<Result>(
    signal: AbortSignal,
    work: (tx: SqlExecutor, rows: TreeRows) => Promise<Result>,
  ): Promise<Result> {
    const { name, database } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await database.transaction((tx) => work(tx, new TreeRows(name, tx)));
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt === this.#maxAttempts) {
          throw error;
        }
      }
    }
  }

  #newRow(path: VirtualPath, content: BlobContent | undefined): TreeRow {
    return {
      path: path.text,
      kind: content === undefined ? 'd' : 'f',
      name: path.name,
      size: content?.data.length ?? 0,
      blob_hash: content?.hash ?? '',
      modify_time_ms: this.#deps.clock.nowMs(),
      stamp: this.#stamp(),
    };
  }

  #stamp(): string {
    return this.#deps.ids.traceId();
  }
}

/** The database as it is within a transaction. */
function within(tx: SqlExecutor, { database }: TreeDiskDeps): Database {
  return {
    dialect: database.dialect,
    run: (sql, parameters) => tx.run(sql, parameters),
    all: (sql, parameters) => tx.all(sql, parameters),
    transaction: (work) => work(tx),
  };
}

function assertNotRoot(path: VirtualPath): void {
  if (path.isRoot) {
    throw pathUnusable(path, 'the root of a disk stays');
  }
}
