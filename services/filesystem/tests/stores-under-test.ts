import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomIds, systemClock } from '@spanwise/kernel';
import { type OpenDatabase, openDatabase } from '@spanwise/persistence';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import type { BlobPlace } from '../src/infrastructure/blobs/blob-place.ts';
import { CheckedFolder } from '../src/infrastructure/disks/local/checked-folder.ts';
import { DescriptorFolder } from '../src/infrastructure/disks/local/descriptor-folder.ts';
import { LocalDisk } from '../src/infrastructure/disks/local/local-disk.ts';
import { MemoryDisk } from '../src/infrastructure/disks/memory/memory-disk.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { migrations } from '../src/infrastructure/persistence/migrations.ts';
import { ViewRecord } from '../src/infrastructure/persistence/view-record.ts';

/** An empty disk for one test. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: FileStore;
  /** The same files through another instance, as another replica has them; where there can be one. */
  readonly replica?: FileStore;
}

export async function memoryStore(): Promise<StoreUnderTest> {
  return { store: new MemoryDisk({ clock: systemClock }), [Symbol.asyncDispose]: async () => undefined };
}

export interface LocalStore extends StoreUnderTest {
  /** The folder that the disk serves. */
  readonly root: string;
  /** A folder beside it that nobody may get to. */
  readonly outside: string;
}

/** `descriptor` is how Linux does it, `checked` how systems without /proc do. */
export async function localStore(kind: 'descriptor' | 'checked'): Promise<LocalStore> {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-local-'));
  const [root, outside] = [join(folder, 'root'), join(folder, 'outside')];
  await Promise.all([mkdir(root), mkdir(outside)]);
  const opened = await (kind === 'descriptor' ? DescriptorFolder.openRoot(root) : CheckedFolder.openRoot(root));
  const store = new LocalDisk({ name: 'local', root: opened, ids: randomIds() });
  return {
    store,
    root,
    outside,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface TestDatabase extends AsyncDisposable {
  /** Two connections to the same database, as two replicas have them. */
  readonly first: OpenDatabase;
  readonly second: OpenDatabase;
  /** Where each replica has content; default: in the database. */
  readonly blobs?: { readonly first: BlobPlace; readonly second: BlobPlace };
}

export async function sqliteDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-filesystem-'));
  return databaseAt(`sqlite:${folder}/test.db`, () => rm(folder, { recursive: true, force: true }));
}

export async function mysqlDatabase(): Promise<TestDatabase> {
  const fresh = await freshDatabase(mysqlServerUrl ?? '');
  return databaseAt(fresh.url, async () => fresh[Symbol.asyncDispose]());
}

export async function databaseAt(url: string, drop: () => Promise<void>): Promise<TestDatabase> {
  const open = () => openDatabase({ url, entities: [ViewRecord], migrations, service: 'filesystem' });
  const [first, second] = [await open(), await open()];
  await first.migrate();
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
      await drop();
    },
  };
}

export interface TreeStore extends StoreUnderTest {
  readonly store: TreeDisk;
  readonly name: string;
}

let made = 0;

/** An empty tree disk of its own name in a database that tests share. */
export function treeStore({ first, second, blobs }: TestDatabase): TreeStore {
  made += 1;
  const name = `tree-${made}`;
  const deps = { name, clock: systemClock, ids: randomIds() };
  return {
    name,
    store: new TreeDisk({ ...deps, database: first.sql, blobs: blobs?.first }),
    replica: new TreeDisk({ ...deps, database: second.sql, blobs: blobs?.second }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
