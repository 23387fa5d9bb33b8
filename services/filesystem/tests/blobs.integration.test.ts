import { randomBytes } from 'node:crypto';
import { randomIds, systemClock } from '@spanwise/kernel';
import type { Database } from '@spanwise/persistence';
import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { BlobPlace } from '../src/infrastructure/blobs/blob-place.ts';
import { BlobSweep } from '../src/infrastructure/blobs/blob-sweep.ts';
import type { OutsideStore } from '../src/infrastructure/blobs/outside-store.ts';
import { contentEtag } from '../src/infrastructure/disks/content-etag.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { type BlobsUnderTest, folderBlobs, objectBlobs, placeIn, withBlobsIn } from './blobs-fixture.ts';
import { ada, failureOf, never } from './files-fixture.ts';
import { allCounted, miscounted } from './retention-fixture.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
const ids = randomIds();
const at = (text: string) => VirtualPath.parse(text);
const away = { reason: 'DISK_UNAVAILABLE', facts: { disk: 'blobs' } };

describe('in a folder, on SQLite', () => suite(folderBlobs, sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('in a folder, on MySQL', () => suite(folderBlobs, mysqlDatabase));
describe('in objects, on SQLite', () => suite(objectBlobs, sqliteDatabase));

function suite(openBlobs: () => Promise<BlobsUnderTest>, openDatabase: () => Promise<TestDatabase>) {
  let database: Awaited<ReturnType<typeof withBlobsIn>>;
  let sql: Database;
  beforeAll(async () => {
    database = await withBlobsIn(openBlobs, openDatabase);
    ({ sql } = database.first);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const content = (disk: FileStore, path: string, range = { offset: 0, length: 1_000_000 }) =>
    disk.read(ada, at(path), range, never).then(({ data }) => Buffer.from(data));
  const sweep = (nowMs: number) => new BlobSweep({ database: sql, store: database.outside.store }).sweep(nowMs, never);
  /** Sweeps twice: what was released counts from the first one. */
  const sweepAll = async () => (await sweep(Date.now() + 2 * dayMs)) + (await sweep(Date.now() + 3 * dayMs));
  const column = async (statement: string) =>
    (await sql.all<{ location: string }>(statement, [])).map(({ location }) => location).toSorted();
  const locations = () => column('select location from fs_blobs where location is not null');
  const staged = () => column('select location from fs_staged_blobs');
  const diskIn = (store: OutsideStore, on: Database = sql) =>
    new TreeDisk({
      name: `disk-${ids.traceId()}`,
      database: on,
      blobs: placeIn(store, database.first),
      clock: systemClock,
      ids,
    });
  /** Counts what is stored; `before` and `after` are told of it. */
  const watched = (hooks: { beforeRead?: () => Promise<void>; afterPut?: (key: string) => Promise<void> } = {}) => {
    const puts: string[] = [];
    const { store } = database.outside;
    const counting: OutsideStore = {
      put: async (key, outgoing, signal) => {
        puts.push(key);
        await store.put(key, outgoing, signal);
        await hooks.afterPut?.(key);
      },
      read: async (key, range, signal) => {
        await hooks.beforeRead?.();
        return store.read(key, range, signal);
      },
      remove: (key, signal) => store.remove(key, signal),
    };
    return { puts, store: counting };
  };

  test('reads any range of what lies outside, and keeps small content in the database', async () => {
    const place = new BlobPlace({
      ...{ store: database.outside.store, threshold: 1000, database: sql, clock: systemClock, ids },
    });
    const disk = new TreeDisk({ name: 'sizes', database: sql, blobs: place, clock: systemClock, ids });
    const [large, small] = [randomBytes(700_000), randomBytes(999)];
    const before = await locations();
    await disk.write(ada, at('/large'), large, {}, never);
    await disk.write(ada, at('/small'), small, {}, never);
    expect((await locations()).length).toBe(before.length + 1);
    const ranges = [
      { offset: 0, length: 700_000 },
      { offset: 262_143, length: 3 },
      { offset: 699_999, length: 100 },
      { offset: 700_000, length: 5 },
      { offset: 900_000, length: 5 },
    ];
    for (const { offset, length } of ranges) {
      const read = await content(disk, '/large', { offset, length });
      expect(Buffer.compare(read, large.subarray(offset, offset + length))).toBe(0);
    }
    expect(Buffer.compare(await content(disk, '/small'), small)).toBe(0);
  });

  test('stores content once, whoever moves, repeats or restores it', async () => {
    const { puts, store } = watched();
    const disk = diskIn(store);
    const data = randomBytes(5000);
    const { node } = await disk.write(ada, at('/a'), data, {}, never);
    await disk.write(ada, at('/b'), data, {}, never);
    await disk.writeStored(ada, at('/c'), { etag: node.etag, size: node.size }, {}, never);
    await disk.rename(ada, at('/a'), at('/d/a'), never);
    expect([puts.length, await staged()]).toEqual([1, []]);
    expect(Buffer.compare(await content(disk, '/d/a'), data)).toBe(0);
  });

  test('stores nothing for what is refused', async () => {
    const { puts, store } = watched();
    const disk = diskIn(store);
    await disk.write(ada, at('/a'), randomBytes(10), {}, never);
    const again = disk.write(ada, at('/a'), randomBytes(10), { createOnly: true }, never);
    expect(await failureOf(again)).toMatchObject({ reason: 'FILE_EXISTS' });
    expect(puts.length).toBe(1);
  });

  test('does not store again what a writer brings who is overtaken', async () => {
    const { puts, store } = watched();
    const disk = diskIn(store);
    const contents = Array.from({ length: 12 }, () => randomBytes(2000));
    await Promise.all(contents.map((data) => disk.write(ada, at('/busy'), data, {}, never)));
    expect(puts.map((key) => key.slice(0, 64)).toSorted()).toEqual(contents.map(contentEtag).toSorted());
    expect(await staged()).toEqual([]);
  });

  test('leaves no row of a writer that dies before its commit, and sweeps what it has stored', async () => {
    const { puts, store } = watched();
    const dying: Database = {
      ...{
        dialect: sql.dialect,
        run: (text, values) => sql.run(text, values),
        all: (text, values) => sql.all(text, values),
      },
      transaction: (work) =>
        sql.transaction(async (tx) => {
          await work(tx);
          throw new RangeError('died');
        }),
    };
    const disk = diskIn(store, dying);
    await expect(disk.write(ada, at('/a'), randomBytes(10), {}, never)).rejects.toThrow('died');
    expect(await disk.stat(ada, at('/a'), never)).toBeUndefined();
    expect(await staged()).toEqual(puts);
    await sweep(Date.now() + dayMs - hourMs);
    expect(await staged()).toEqual(puts);
    await sweep(Date.now() + dayMs + hourMs);
    expect(await staged()).toEqual([]);
    expect((await database.outside.keys()).filter((key) => puts.includes(key))).toEqual([]);
  });

  test('stores again what a sweep has taken from a writer that was too slow', async () => {
    let isSwept = false;
    const { puts, store } = watched({
      afterPut: async () => {
        if (!isSwept) {
          isSwept = true;
          await sweep(Date.now() + 2 * dayMs);
        }
      },
    });
    const disk = diskIn(store);
    const data = randomBytes(4000);
    await disk.write(ada, at('/slow'), data, {}, never);
    expect(puts.length).toBe(2);
    await sweepAll();
    expect(Buffer.compare(await content(disk, '/slow'), data)).toBe(0);
  });

  test('keeps what is written again at once after its last use has gone', async () => {
    const disk = diskIn(database.outside.store);
    const data = randomBytes(3000);
    await disk.write(ada, at('/a'), data, {}, never);
    const [old] = (await locations()).filter((key) => key.startsWith(contentEtag(data)));
    await disk.erase(at('/a'));
    await disk.write(ada, at('/b'), data, {}, never);
    expect(Buffer.compare(await content(disk, '/b'), data)).toBe(0);
    await sweep(Date.now());
    await sweep(Date.now() + hourMs / 2);
    expect((await database.outside.keys()).filter((key) => key.startsWith(contentEtag(data))).length).toBe(2);
    await sweep(Date.now() + hourMs + 1000);
    expect(await database.outside.keys()).not.toContain(old);
    expect(Buffer.compare(await content(disk, '/b'), data)).toBe(0);
  });

  test('looks once more when content was removed between the row and its bytes', async () => {
    let change: (() => Promise<void>) | undefined;
    const { store } = watched({
      beforeRead: async () => {
        const work = change;
        change = undefined;
        await work?.();
      },
    });
    const disk = diskIn(store);
    const [first, second] = [randomBytes(3000), randomBytes(3000)];
    await disk.write(ada, at('/a'), first, {}, never);
    change = async () => {
      await disk.erase(at('/a'));
      await disk.write(ada, at('/a'), second, {}, never);
      await sweepAll();
    };
    expect(Buffer.compare(await content(disk, '/a'), second)).toBe(0);
  });

  test('says when content is lost, or its store is not configured', async () => {
    const disk = diskIn(database.outside.store);
    const { node } = await disk.write(ada, at('/a'), randomBytes(3000), {}, never);
    const name = 'without';
    const there = new TreeDisk({ name, database: sql, blobs: database.blobs?.first, clock: systemClock, ids });
    await there.writeStored(ada, at('/a'), { etag: node.etag, size: node.size }, {}, never);
    const without = new TreeDisk({ name, database: sql, clock: systemClock, ids });
    await expect(content(without, '/a')).rejects.toMatchObject({
      ...away,
      message: 'This content lies in a store of blobs, and none is configured.',
    });
    const [key = ''] = (await locations()).filter((each) => each.startsWith(node.etag));
    await database.outside.lose(key);
    await expect(content(disk, '/a')).rejects.toMatchObject({
      ...away,
      message: `The content ${node.etag} is not in the store of blobs.`,
    });
    await disk.erase(at('/a'));
    await there.erase(at('/a'));
    // What is not there any more is removed as well.
    await sweepAll();
    expect(await column('select location from fs_blob_trash')).toEqual([]);
  });

  test('counts uses right and loses nothing while writers, erasers and sweeps work', async () => {
    const disk = diskIn(database.outside.store);
    const contents = Array.from({ length: 4 }, () => randomBytes(2000));
    const deps = { name: 'replica', blobs: database.blobs?.second, clock: systemClock, ids };
    const replica = new TreeDisk({ ...deps, database: database.second.sql });
    const work = Array.from({ length: 80 }, async (_, index) => {
      const path = at(`/f${index % 5}`);
      const by = index % 2 === 0 ? disk : replica;
      if (index % 8 === 7) {
        await sweep(Date.now() + (index % 16 === 7 ? 0 : 2 * hourMs));
      } else if (index % 3 === 2) {
        await by.erase(path);
      } else {
        const data = contents[index % 4] ?? randomBytes(1);
        await by.write(ada, path, data, {}, never);
      }
    });
    await Promise.all(work);
    expect(await miscounted(database.first)).toEqual(allCounted);
    await sweepAll();
    expect(await database.outside.keys()).toEqual(await locations());
    for (const each of [disk, replica]) {
      for (let index = 0; index < 5; index += 1) {
        const node = await each.stat(ada, at(`/f${index}`), never);
        const data = node === undefined ? undefined : await content(each, `/f${index}`);
        expect(data && contentEtag(data)).toEqual(node?.kind === 'file' ? node.etag : undefined);
      }
    }
  });
}
