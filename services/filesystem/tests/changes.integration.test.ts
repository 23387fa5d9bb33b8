import { brandId, type RunId, randomIds, systemClock } from '@spanwise/kernel';
import { type Database, databaseUnavailable, type OpenDatabase } from '@spanwise/persistence';
import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { SqlChanges } from '../src/infrastructure/changes/sql-changes.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { MikroOrmViewRepository } from '../src/infrastructure/persistence/mikro-orm-view-repository.ts';
import { SqlOutputLog } from '../src/infrastructure/persistence/sql-output-log.ts';
import { type ChangesUnderTest, keyContract } from './changes.contract.ts';
import { fenceContract } from './fence.contract.ts';
import { ada, failureOf, filesFixture, mount, never, sessionId, utf8 } from './files-fixture.ts';
import { loneObjectStore } from './object-fixture.ts';
import { loneRestStore } from './rest-fixture.ts';
import { once, openSession, type SessionUnderTest, sessionOn } from './session-under-test.ts';
import {
  localStore,
  memoryStore,
  mysqlDatabase,
  type StoreUnderTest,
  sqliteDatabase,
  type TestDatabase,
  treeStore,
} from './stores-under-test.ts';

const ids = randomIds();
const mounts = [
  mount('/workspace', { remote: '/{uid}/{session_id}/files', isOutput: true }),
  mount('/shared', { remote: '/shared' }),
  mount('/all', { remote: '/', isReadOnly: true }),
];

function useCases(store: FileStore, database?: OpenDatabase) {
  const disks = new Map([['work', store]]);
  return filesFixture(
    database === undefined
      ? { mounts, disks }
      : {
          mounts,
          disks,
          changes: new SqlChanges({ database: database.sql, clock: systemClock }),
          repository: new MikroOrmViewRepository({ database }),
          outputs: new SqlOutputLog({ database: database.sql }),
        },
  );
}

async function under(opened: StoreUnderTest, database?: TestDatabase): Promise<ChangesUnderTest> {
  const files = await useCases(opened.store, database?.first);
  const replica = opened.replica && { replica: await useCases(opened.replica, database?.second) };
  return { files, ...replica, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

function contracts(open: () => Promise<ChangesUnderTest>) {
  keyContract(open);
  fenceContract(open);
}

function databaseSuite(
  openDatabase: () => Promise<TestDatabase>,
  openStore: (database: TestDatabase) => Promise<StoreUnderTest> | StoreUnderTest,
) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  const open = async () => under(await openStore(database), database);
  contracts(open);

  test('answers the same at two replicas of a disk that is not atomic, asked at the same moment', async () => {
    await using disk = await memoryStore();
    const both = Promise.withResolvers<void>();
    let begun = 0;
    const change = { viewId: brandId<RunId>(ids.uuid()), sessionId, once: { key: 'k', requestHash: 'h' } };
    const makeAt = ({ sql }: OpenDatabase) => {
      const changes = new SqlChanges({ database: sql, clock: systemClock });
      const effect = async () => {
        begun += 1;
        const answer = { number: begun };
        if (begun === 2) {
          both.resolve();
        }
        await both.promise;
        return answer;
      };
      return changes.make(change, disk.store, effect, never);
    };
    const made = await Promise.all([makeAt(database.first), makeAt(database.second)]);
    expect(made.filter(({ isRepeated }) => isRepeated)).toHaveLength(1);
    expect(made[0].answer).toEqual(made[1].answer);
  });

  test('opens no view of a session that was deleted', async () => {
    await using opened = await open();
    const { sessionId, deleteData } = await openSession(opened.files);
    await deleteData();
    for (const { openView } of [opened.files, opened.replica ?? opened.files]) {
      const opening = openView.execute(ada, { viewId: brandId<RunId>(ids.uuid()), sessionId });
      expect(await failureOf(opening)).toEqual({ reason: 'FENCED', facts: {} });
    }
  });

  test('leaves no row of a session but its fence', async () => {
    await using opened = await open();
    const { sessionId, viewId, write, deleteData } = await openSession(opened.files);
    await write('/workspace/file', 'text', once('k'));
    const rows = async (table: string, column: string, id: string) =>
      (await database.first.sql.all(`select * from ${table} where ${column} = ?`, [id])).length;
    const counts = () =>
      Promise.all([
        rows('fs_views', 'session_id', sessionId),
        rows('fs_outputs', 'view_id', viewId),
        rows('fs_keys', 'view_id', viewId),
        rows('fs_fences', 'session_id', sessionId),
      ]);
    expect(await counts()).toEqual([1, 1, 1, 1]);
    await deleteData();
    expect(await counts()).toEqual([0, 0, 0, 1]);
  });
}

/** A database that fails where a change keeps its answer. */
function failingToKeep(database: Database): Database {
  return {
    ...{ dialect: database.dialect, run: database.run.bind(database), all: database.all.bind(database) },
    transaction: (work) =>
      database.transaction((tx) =>
        work({
          all: (sql, parameters) => tx.all(sql, parameters),
          run: async (sql, parameters) => {
            if (sql.includes('insert into fs_keys')) {
              throw databaseUnavailable('planted');
            }
            return tx.run(sql, parameters);
          },
        }),
      ),
  };
}

function treeSuite(openDatabase: () => Promise<TestDatabase>) {
  databaseSuite(openDatabase, treeStore);

  test('keeps a change and its answer together or not at all', async () => {
    await using database = await openDatabase();
    const { sql } = database.first;
    const deps = { name: 'whole', clock: systemClock, ids };
    const failing = await useCases(new TreeDisk({ ...deps, database: failingToKeep(sql) }), database.first);
    const session = await openSession(failing);
    await session.write('/workspace/file', 'a b a');
    const whole = await useCases(new TreeDisk({ ...deps, database: sql }), database.first);
    const again = sessionOn(whole, session.sessionId, session.viewId);
    const edit = (on: SessionUnderTest) => on.edit('/workspace/file', 'a', 'aa', once('k'));
    expect(await failureOf(edit(session))).toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await again.text('/workspace/file')).toBe('a b a');
    expect(await edit(again)).toMatchObject({ replacements: 2 });
    expect(await again.text('/workspace/file')).toBe('aa b aa');
  });
}

describe('in memory', () => contracts(async () => under(await memoryStore())));
describe('memory disk, keys on SQLite', () => databaseSuite(sqliteDatabase, memoryStore));
describe.runIf(process.platform === 'linux')('local disk, keys on SQLite', () =>
  databaseSuite(sqliteDatabase, () => localStore('descriptor')),
);
describe('rest disk, keys on SQLite', () => databaseSuite(sqliteDatabase, loneRestStore));
describe('object disk, keys on SQLite', () => databaseSuite(sqliteDatabase, loneObjectStore));
describe('tree on SQLite', () => treeSuite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('local disk, keys on MySQL', () =>
  databaseSuite(mysqlDatabase, () => localStore('checked')),
);
describe.skipIf(mysqlServerUrl === undefined)('tree on MySQL', () => {
  treeSuite(mysqlDatabase);

  test('lets a fence of one replica wait for a change of another', async () => {
    await using database = await mysqlDatabase();
    const { store, replica = store } = treeStore(database);
    const { sessionId, viewId } = await openSession(await useCases(store, database.first));
    const [first, second] = [database.first, database.second].map(
      ({ sql }) => new SqlChanges({ database: sql, clock: systemClock }),
    );
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const path = VirtualPath.parse('/x');
    const effect = async (within: FileStore) => {
      begun.resolve();
      await goOn.promise;
      return within.write(ada, path, utf8('in time'), {}, never);
    };
    const change = first?.make({ viewId, sessionId, epoch: 1 }, store, effect, never);
    await begun.promise;
    let isFenced = false;
    const fencing = second?.fence(sessionId, 2, 2).then(() => {
      isFenced = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isFenced).toBe(false);
    goOn.resolve();
    await fencing;
    expect(await replica.stat(ada, path, never)).toMatchObject({ size: 7 });
    expect(await change).toMatchObject({ isRepeated: false });
  });
});

describe('on a disk that is not atomic', () => {
  test('answers a write whose process died before its answer was kept, and refuses one that meets another', async () => {
    await using opened = await memoryStore();
    const session = await openSession(await useCases(opened.store));
    const { node } = await session.write('/workspace/file', 'old');
    const { node: written } = await session.write('/workspace/file', 'new');
    const repeated = await session.write('/workspace/file', 'new', { ifMatch: node.etag, ...once('k1') });
    expect(repeated).toMatchObject({ node: written, isCreated: false });
    const created = await session.write('/workspace/file', 'new', { createOnly: true, ...once('k2') });
    expect(created).toMatchObject({ node: written, isCreated: true });
    for (const text of ['other', 'NEW']) {
      const refused = session.write('/workspace/file', text, { createOnly: true, ...once(`k ${text}`) });
      expect(await failureOf(refused)).toMatchObject({ reason: 'FILE_EXISTS' });
    }
    expect(await failureOf(session.write('/workspace/file', 'new', { createOnly: true }))).toMatchObject({
      reason: 'FILE_EXISTS',
    });
  });

  test('is the exception: an atomic disk lets nobody answer for what another has written', async () => {
    await using database = await sqliteDatabase();
    const session = await openSession(await useCases(treeStore(database).store, database.first));
    await session.write('/workspace/file', 'same');
    const created = session.write('/workspace/file', 'same', { createOnly: true, ...once('k') });
    expect(await failureOf(created)).toMatchObject({ reason: 'FILE_EXISTS' });
  });

  test('has the same session on another replica', async () => {
    await using database = await sqliteDatabase();
    await using local = await localStore('checked');
    const files = await useCases(local.store, database.first);
    const session = await openSession(files);
    const replica = sessionOn(await useCases(local.store, database.second), session.sessionId, session.viewId);
    await replica.fence(3);
    expect(await failureOf(session.write('/workspace/file', 'x', { epoch: 2 }))).toMatchObject({ reason: 'FENCED' });
  });
});
