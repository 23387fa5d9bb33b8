import { randomBytes } from 'node:crypto';
import { randomIds, systemClock } from '@spanwise/kernel';
import type { Database, SqlExecutor } from '@spanwise/persistence';
import { expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { BlobPlace } from '../src/infrastructure/blobs/blob-place.ts';
import { BlobSweep } from '../src/infrastructure/blobs/blob-sweep.ts';
import { readBlobs } from '../src/infrastructure/configuration/blob-settings.ts';
import { YamlSource } from '../src/infrastructure/configuration/yaml-source.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { blobSecret, folderBlobs, objectBlobs, objectBlobsYaml, withBlobsIn } from './blobs-fixture.ts';
import { ada, failureOf, never } from './files-fixture.ts';
import { allCounted, miscounted } from './retention-fixture.ts';
import { S3Stub } from './s3-stub.ts';
import { sqliteDatabase, treeStore } from './stores-under-test.ts';

const hourMs = 60 * 60_000;
const ids = randomIds();
const at = (text: string) => VirtualPath.parse(text);
const away = { reason: 'DISK_UNAVAILABLE', facts: { disk: 'blobs' } };

test('changes nothing while the store does not answer', async () => {
  await using outside = await objectBlobs();
  await using database = await withBlobsIn(async () => outside, sqliteDatabase);
  const { store: disk } = treeStore(database);
  await disk.write(ada, at('/a'), randomBytes(100), {}, never);
  const head = await disk.head();
  outside.stub.fault = () => (response) => response.writeHead(503).end();
  expect(await failureOf(disk.write(ada, at('/b/c'), randomBytes(100), {}, never))).toEqual(away);
  expect(await failureOf(disk.read(ada, at('/a'), { offset: 0, length: 9 }, never))).toEqual(away);
  expect([await disk.head(), await disk.stat(ada, at('/b'), never)]).toEqual([head, undefined]);
  outside.stub.fault = undefined;
  await disk.write(ada, at('/b/c'), randomBytes(100), {}, never);
  expect(await disk.stat(ada, at('/b/c'), never)).toMatchObject({ size: 100 });
});

test('does not open a folder that is not there', async () => {
  const { open } = readBlobs(new YamlSource('view.yaml', 'blobs: {store: folder, path: no/such/folder}'));
  await expect(open?.({ folder: '/', ids, secret: () => undefined })).rejects.toThrow(
    'view.yaml:1: blobs: the folder /no/such/folder can not be opened',
  );
});

test('gives up reading and storing when the folder has gone', async () => {
  const outside = await folderBlobs();
  await using database = await withBlobsIn(async () => outside, sqliteDatabase);
  const { store: disk } = treeStore(database);
  await disk.write(ada, at('/a'), randomBytes(100), {}, never);
  await outside[Symbol.asyncDispose]();
  expect(await failureOf(disk.write(ada, at('/b'), randomBytes(100), {}, never))).toEqual(away);
  expect(await failureOf(disk.read(ada, at('/a'), { offset: 0, length: 9 }, never))).toEqual(away);
  await disk.erase(at('/a'));
  const { sql } = database.first;
  const sweep = new BlobSweep({ database: sql, store: outside.store });
  await sweep.sweep(0, never);
  // What can not be removed is not forgotten.
  expect(await failureOf(sweep.sweep(2 * hourMs, never))).toEqual(away);
  expect((await sql.all('select location from fs_blob_trash', [])).length).toBe(1);
});

test('does not open a store that refuses to be written, and opens one that does not answer', async () => {
  await using stub = await S3Stub.open();
  const { open } = readBlobs(new YamlSource('view.yaml', objectBlobsYaml(stub.endpoint)));
  await expect(open?.({ folder: '/', ids, secret: () => 'of somebody else' })).rejects.toThrow(
    'view.yaml:1: blobs: the store lets nothing be written and removed',
  );
  stub.fault = () => (response) => response.writeHead(503).end();
  await expect(open?.({ folder: '/', ids, secret: blobSecret })).resolves.toBeDefined();
});

/** A database for a process that dies before it has made `steps` statements and commits: from then on all of them fail. */
function dyingDatabase(sql: Database, steps: number): Database {
  let left = steps;
  const step = () => {
    left -= 1;
    if (left < 0) {
      throw new RangeError('died');
    }
  };
  const within = (on: SqlExecutor): SqlExecutor => ({
    run: async (text, values) => {
      step();
      return on.run(text, values);
    },
    all: async (text, values) => {
      step();
      return on.all(text, values);
    },
  });
  return {
    ...within(sql),
    dialect: sql.dialect,
    transaction: (work) =>
      sql.transaction(async (tx) => {
        const done = await work(within(tx));
        step();
        return done;
      }),
  };
}

test('leaves nothing outside that no row knows, wherever a writer dies', async () => {
  await using database = await withBlobsIn(folderBlobs, sqliteDatabase);
  const { sql } = database.first;
  const column = async (table: string) =>
    (await sql.all<{ location: string }>(`select location from ${table} where location is not null`, [])).map(
      ({ location }) => location,
    );
  const known = async () =>
    (await Promise.all(['fs_blobs', 'fs_staged_blobs', 'fs_blob_trash'].map(column))).flat().toSorted();
  const deaths = { writing: 0, erasing: 0 };
  const dies = async (does: keyof typeof deaths, steps: number) => {
    const dying = dyingDatabase(sql, steps);
    const blobs = new BlobPlace({
      ...{ store: database.outside.store, threshold: 1, database: dying, clock: systemClock, ids },
    });
    const disk = new TreeDisk({ name: 'dying', database: dying, blobs, clock: systemClock, ids });
    const work = does === 'writing' ? disk.write(ada, at('/a'), randomBytes(50), {}, never) : disk.erase(at('/a'));
    const hasDied = await work.then(
      () => false,
      () => true,
    );
    deaths[does] += Number(hasDied);
    // A key may be known before it is there, and never the other way round.
    const knows = new Set(await known());
    expect((await database.outside.keys()).filter((key) => !knows.has(key))).toEqual([]);
    expect(await miscounted(database.first)).toEqual(allCounted);
    return hasDied;
  };
  for (const does of ['writing', 'erasing'] as const) {
    for (let steps = 0; await dies(does, steps); ) {
      steps += 1;
    }
  }
  expect(deaths.writing).toBeGreaterThan(10);
  expect(deaths.erasing).toBeGreaterThan(5);
  const sweep = new BlobSweep({ database: sql, store: database.outside.store });
  await sweep.sweep(Date.now() + 48 * hourMs, never);
  await sweep.sweep(Date.now() + 72 * hourMs, never);
  expect([await known(), await database.outside.keys()]).toEqual([[], []]);
});
