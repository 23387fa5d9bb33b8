import type { Clock, IdGenerator, Uid } from '@spanwise/kernel';
import { type Database, firstRow, type SqlExecutor } from '@spanwise/persistence';
import type { BlobTarget, StoredContent } from '../../../domain/disk/blob-target.ts';
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
import type {
  DirectoryNode,
  DiskNode,
  RemoveRequest,
  WriteGuard,
  WriteOutcome,
} from '../../../domain/disk/file-store.ts';
import { defaultVersionLimits, type VersionLimits } from '../../../domain/disk/version-limits.ts';
import type { FileVersion, VersionedStore } from '../../../domain/disk/versioned-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { MeteredStore } from '../../../domain/usage/metered-store.ts';
import { noUsage, type Quota, type Usage } from '../../../domain/usage/usage.ts';
import { BlobPlace } from '../../blobs/blob-place.ts';
import type { StagedBlobs } from '../../blobs/staged-blobs.ts';
import type { Transaction, TransactionalStore } from '../../changes/transactional-store.ts';
import { type Quotas, readUsage } from '../../usage/usage-changes.ts';
import { contentEtag } from '../content-etag.ts';
import { type BlobContent, changeBlobUses } from './blobs.ts';
import { againWhenOvertaken } from './overtaken.ts';
import type { ContentSource } from './read-slice.ts';
import { TreeChange } from './tree-change.ts';
import { TreeFiles } from './tree-files.ts';
import { fileNodeOf, nodeOf, type TreeRow, treeDirectory } from './tree-row.ts';
import { eraseTree, versionsOf } from './tree-versions.ts';

export interface TreeDiskDeps {
  readonly name: string;
  readonly database: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'traceId'>;
  /** What each user may have on it; by default as much as fits. */
  readonly quota?: Quota | undefined;
  readonly versionLimits?: VersionLimits | undefined;
  /** Where content lies; default: all of it in the database. */
  readonly blobs?: BlobPlace | undefined;
  /** Within a transaction: what its change has stored before. */
  readonly staged?: StagedBlobs | undefined;
}

/** Each lost attempt means that another writer has won: only met on a path that never comes to rest. */
const defaultAttempts = 100;

/**
 * Files as rows and blobs of a database, for any number of replicas. A change is one transaction that moves the head of the
 * disk, compares what it has read and counts the rows that it changes; when another writer came in between it starts again.
 * What is replaced or removed stays as a version. The root has no row.
 */
export class TreeDisk extends TreeFiles implements TransactionalStore, VersionedStore, MeteredStore, BlobTarget {
  readonly takesBlobs = true;
  readonly capabilities = { ifMatch: true, createOnly: true, atomic: true };
  readonly quota: Quota;
  readonly versionLimits: VersionLimits;
  readonly #deps: TreeDiskDeps;
  readonly #quotas: Quotas;
  readonly #maxAttempts: number;

  constructor(deps: TreeDiskDeps, maxAttempts: number = defaultAttempts) {
    super(deps.name, sourceOf(deps));
    this.#deps = deps;
    this.quota = deps.quota ?? {};
    this.versionLimits = deps.versionLimits ?? defaultVersionLimits;
    this.#quotas = new Map([[deps.name, this.quota]]);
    this.#maxAttempts = maxAttempts;
  }

  write(
    { uid }: Caller,
    path: VirtualPath,
    data: Uint8Array,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const content = { hash: contentEtag(data), size: data.length, data };
    return this.#change(signal, (tx, staged) => this.#write(tx, staged, uid, path, content, guard));
  }

  writeStored(
    { uid }: Caller,
    path: VirtualPath,
    { etag: hash, size, upload }: StoredContent,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const content = { hash, size, data: undefined, upload };
    return this.#change(signal, (tx, staged) => this.#write(tx, staged, uid, path, content, guard));
  }

  remove(
    { uid }: Caller,
    path: VirtualPath,
    { isRecursive, ifMatch }: RemoveRequest,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#change(signal, async (tx) => {
      assertNotRoot(path);
      const change = await this.#begin(tx, uid);
      const row = await shownAt(change, path);
      if (row === undefined) {
        throw fileNotFound(path);
      }
      if (ifMatch !== undefined && ifMatch !== row.blob_hash) {
        throw etagMismatch(path, row.blob_hash);
      }
      if (row.kind === 'd' && !isRecursive && (await change.rows.hasEntries(path.text))) {
        throw directoryNotEmpty(path);
      }
      await change.supersede(await change.rows.subtree(row));
      await change.usage.apply(tx, this.#quotas);
    });
  }

  rename({ uid }: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode> {
    return this.#change(signal, async (tx) => {
      assertNotRoot(from);
      const change = await this.#begin(tx, uid);
      const top = await shownAt(change, from);
      const node = top && nodeOf(top);
      if (top === undefined || node === undefined) {
        throw fileNotFound(from);
      }
      const there = to.isRoot ? undefined : await change.rows.at(to.text);
      if (to.isRoot || (there !== undefined && there.kind !== 'w')) {
        throw fileExists(to);
      }
      if (to.isWithin(from)) {
        throw pathUnusable(to, 'it lies within what is moved');
      }
      const moved = await change.rows.subtree(top);
      await change.makeDirectories(to.parent);
      await change.supersede(there === undefined ? moved : [there, ...moved]);
      const rows = moved.map((row) => ({
        ...row,
        path: to.text + row.path.slice(from.text.length),
        name: row === top ? to.name : row.name,
        head: change.head,
        stamp: change.stamp(),
      }));
      await change.rows.insert(rows);
      await change.usage.apply(tx, this.#quotas);
      const contents = rows.flatMap(({ kind, blob_hash: hash }) => (kind === 'f' ? [{ hash, data: undefined }] : []));
      await changeBlobUses(tx, contents, []);
      return node;
    });
  }

  async makeDirectory(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    const there = await this.stat(caller, path, signal);
    if (there?.kind === 'file') {
      throw notADirectory(path);
    }
    const make = async (tx: SqlExecutor) => {
      await (await this.#begin(tx, caller.uid)).makeDirectories(path);
      return treeDirectory;
    };
    return there ?? this.#change(signal, make);
  }

  async head(): Promise<number> {
    const { name, database } = this.#deps;
    const row = await firstRow<{ head: number }>(database, 'select head from fs_heads where disk = ?', [name]);
    return row?.head ?? 0;
  }

  at(head: number): TreeFiles {
    return new TreeFiles(this.#deps.name, sourceOf(this.#deps), head);
  }

  versions(path: VirtualPath, limit: number, upTo?: number): Promise<readonly FileVersion[]> {
    return versionsOf(this.#deps.database, this.#deps.name, path, { limit, upTo });
  }

  async erase(path: VirtualPath): Promise<void> {
    const { name } = this.#deps;
    await this.#change(new AbortController().signal, async (tx) => {
      // The head keeps other changes away: what is counted is what goes.
      const { usage } = await this.#begin(tx, '');
      await eraseTree(tx, name, path, { usage, quotas: this.#quotas });
    });
  }

  async usageOf(uid: Uid): Promise<Usage> {
    return (await readUsage(this.#deps.database, this.#deps.name, uid)) ?? noUsage;
  }

  transact<Answer, Result>(transaction: Transaction<Answer, Result>, signal: AbortSignal): Promise<Result> {
    return this.#change(signal, async (tx, staged) => {
      const known = await transaction.before(tx);
      if (known !== undefined) {
        return known;
      }
      // Within it an attempt that lost is not made again: the whole transaction is.
      const store = new TreeDisk({ ...this.#deps, database: within(tx, this.#deps), staged }, 1);
      return transaction.after(tx, await transaction.effect(store));
    });
  }

  async #write(
    tx: SqlExecutor,
    staged: StagedBlobs,
    uid: string,
    path: VirtualPath,
    content: BlobContent & { readonly size: number },
    { ifMatch, createOnly }: WriteGuard,
  ): Promise<WriteOutcome> {
    const change = await this.#begin(tx, uid);
    const row = path.isRoot ? undefined : await change.rows.at(path.text);
    const old = row?.kind === 'w' ? undefined : row;
    if (createOnly === true && (path.isRoot || old !== undefined)) {
      throw fileExists(path);
    }
    if (path.isRoot || old?.kind === 'd') {
      throw notAFile(path);
    }
    if (ifMatch !== undefined && ifMatch !== old?.blob_hash) {
      throw etagMismatch(path, old?.blob_hash ?? '');
    }
    const written = change.newRow(path, { kind: 'f', size: content.size, blob_hash: content.hash });
    if (row === undefined) {
      await change.makeDirectories(path.parent);
    } else {
      await change.supersede([row]);
    }
    await change.rows.insert([written]);
    await change.usage.apply(tx, this.#quotas);
    await changeBlobUses(tx, [content], [], staged);
    return { node: fileNodeOf(written), isCreated: old === undefined };
  }

  #begin(tx: SqlExecutor, uid: string): Promise<TreeChange> {
    return TreeChange.begin({ ...this.#deps, uid }, tx);
  }

  async #change<Result>(
    signal: AbortSignal,
    work: (tx: SqlExecutor, staged: StagedBlobs) => Promise<Result>,
  ): Promise<Result> {
    const { database, blobs = BlobPlace.inDatabase, staged = blobs.begin(signal) } = this.#deps;
    const transaction = () => database.transaction((tx) => work(tx, staged));
    return againWhenOvertaken(this.#maxAttempts, () => {
      signal.throwIfAborted();
      // Within a transaction nothing is stored: the whole transaction is made again.
      return this.#deps.staged === undefined ? staged.run(transaction) : transaction();
    });
  }
}

/** The row of what is seen at a path. */
async function shownAt({ rows }: TreeChange, path: VirtualPath): Promise<TreeRow | undefined> {
  const row = await rows.at(path.text);
  return row?.kind === 'w' ? undefined : row;
}

function sourceOf({ database, blobs = BlobPlace.inDatabase }: TreeDiskDeps): ContentSource {
  return { sql: database, blobs };
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
