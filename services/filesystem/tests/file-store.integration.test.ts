import { randomBytes } from 'node:crypto';
import type { Database } from '@spanwise/persistence';
import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { type BlobsUnderTest, folderBlobs, objectBlobs, withBlobsIn } from './blobs-fixture.ts';
import { fileStoreContract } from './file-store.contract.ts';
import { ada, never, utf8 } from './files-fixture.ts';
import { objectStore } from './object-fixture.ts';
import { restStore } from './rest-fixture.ts';
import {
  localStore,
  memoryStore,
  mysqlDatabase,
  sqliteDatabase,
  type TestDatabase,
  treeStore,
} from './stores-under-test.ts';

describe('memory', () => fileStoreContract(memoryStore));
describe.runIf(process.platform === 'linux')('local, by descriptors', () =>
  fileStoreContract(() => localStore('descriptor')),
);
describe('local, by checks', () => fileStoreContract(() => localStore('checked'), { longSegments: 10 }));
describe('rest', () => fileStoreContract(restStore));
describe('object', () => fileStoreContract(objectStore, { longSegments: 3 }));
describe('tree on SQLite', () => treeSuite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('tree on MySQL', () => treeSuite(mysqlDatabase));
describe('tree on SQLite, content in objects', () => outsideSuite(objectBlobs, sqliteDatabase));
describe('tree, content in a folder', () =>
  outsideSuite(folderBlobs, mysqlServerUrl === undefined ? sqliteDatabase : mysqlDatabase));

function outsideSuite(openBlobs: () => Promise<BlobsUnderTest>, openDatabase: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await withBlobsIn(openBlobs, openDatabase);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  fileStoreContract(async () => treeStore(database));
}

function treeSuite(openDatabase: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  fileStoreContract(async () => treeStore(database));

  const at = (text: string) => VirtualPath.parse(text);

  test('shares blobs between files and keeps none that no file uses', async () => {
    const { store, name } = treeStore(database);
    const { sql } = database.first;
    const before = await blobCounts(sql);
    const large = randomBytes(1_000_000);
    const write = (path: string, data: Uint8Array) => store.write(ada, at(path), data, {}, never);
    await Promise.all(['/a', '/b', '/d/c'].map((path) => write(path, large)));
    expect(await blobCounts(sql)).toEqual({ blobs: before.blobs + 1, chunks: before.chunks + 4 });
    await write('/a', utf8(`something else of ${name}`));
    await store.rename(ada, at('/b'), at('/d/b'), never);
    expect(await blobCounts(sql)).toEqual({ blobs: before.blobs + 2, chunks: before.chunks + 5 });
    await store.remove(ada, at('/d'), { isRecursive: true }, never);
    // Versions use them.
    expect(await blobCounts(sql)).toEqual({ blobs: before.blobs + 2, chunks: before.chunks + 5 });
    await store.erase(at('/d'));
    await store.erase(at('/b'));
    expect(await blobCounts(sql)).toEqual({ blobs: before.blobs + 2, chunks: before.chunks + 5 });
    await store.erase(at('/a'));
    expect(await blobCounts(sql)).toEqual(before);
  });

  test('counts the uses of blobs right, whoever writes and removes at the same time', async () => {
    const { store, replica = store } = treeStore(database);
    const { sql } = database.first;
    const before = await blobCounts(sql);
    const contents = ['red', 'green', 'blue'].map((text) => utf8(`${text} ${'x'.repeat(300_000)}`));
    const work = Array.from({ length: 90 }, (_, index) => {
      const path = at(`/f${index % 5}`);
      const by = index % 2 === 0 ? store : replica;
      const content = contents[index % 3] ?? utf8('');
      return index % 4 === 3
        ? by.remove(ada, path, { isRecursive: false }, never).catch(() => undefined)
        : by.write(ada, path, content, {}, never);
    });
    await Promise.all(work);
    const used = await sql.all(
      `select b.hash, b.uses, count(n.path_hash) as files from fs_blobs b left join
        (select path_hash, blob_hash from fs_nodes union all select path_hash, blob_hash from fs_versions) n
        on n.blob_hash = b.hash group by b.hash, b.uses`,
      [],
    );
    expect(used.filter(({ uses, files }) => uses !== files)).toEqual([]);
    for (let index = 0; index < 5; index += 1) {
      await store.erase(at(`/f${index}`));
    }
    expect(await blobCounts(sql)).toEqual(before);
  });

  test('removes and moves a directory of thousands of files', async () => {
    const { store } = treeStore(database);
    for (let batch = 0; batch < 20; batch += 1) {
      const files = Array.from({ length: 100 }, (_, index) => at(`/big/d${batch}/f${index}`));
      await Promise.all(files.map((path) => store.write(ada, path, utf8('x'), {}, never)));
    }
    await store.rename(ada, at('/big'), at('/moved/big'), never);
    expect(await store.stat(ada, at('/moved/big/d19/f99'), never)).toMatchObject({ size: 1 });
    expect(await store.stat(ada, at('/big'), never)).toBeUndefined();
    await store.remove(ada, at('/moved'), { isRecursive: true }, never);
    expect(await store.stat(ada, at('/moved/big/d19/f99'), never)).toBeUndefined();
  });
}

async function blobCounts(sql: Database) {
  const count = async (table: string) => Number((await sql.all(`select count(*) as n from ${table}`, []))[0]?.n);
  return { blobs: await count('fs_blobs'), chunks: await count('fs_blob_chunks') };
}
