import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { folderBlobs, withBlobsIn } from './blobs-fixture.ts';
import { fileStoreContract } from './file-store.contract.ts';
import { mountedStore } from './layered-store.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

// What runs change in their layers, and clients in unions, does what every disk does.
describe('on SQLite', () => suite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase));
describe('on SQLite, content in a folder', () => suite(() => withBlobsIn(folderBlobs, sqliteDatabase)));

function suite(openDatabase: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  describe('a layer over a tree', () => fileStoreContract(() => mountedStore(database, 'tree', true)));
  describe('a layer over memory', () => fileStoreContract(() => mountedStore(database, 'memory', true)));
  describe('a layer over a union', () => fileStoreContract(() => mountedStore(database, 'union', true)));
  describe('a union without a layer', () => fileStoreContract(() => mountedStore(database, 'union', false)));
}
