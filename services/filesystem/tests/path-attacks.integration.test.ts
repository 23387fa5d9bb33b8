import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type AttackedView, assertNothingTold, attackedView } from './attack-harness.ts';
import { objectStore } from './object-fixture.ts';
import { pathAttacks } from './path-attacks.ts';
import { restStore } from './rest-fixture.ts';
import {
  localStore,
  memoryStore,
  mysqlDatabase,
  type StoreUnderTest,
  sqliteDatabase,
  treeStore,
} from './stores-under-test.ts';

function attackSuite(open: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let view: AttackedView;
  beforeAll(async () => {
    under = await open();
    view = await attackedView(under.store);
  });
  afterAll(() => under[Symbol.asyncDispose]());

  test.each(pathAttacks)('survives: %s', async (_, path) => {
    assertNothingTold(await view.attack(path));
    await view.assertUnharmed();
  });
}

async function onTree(openDatabase: typeof sqliteDatabase): Promise<StoreUnderTest> {
  const database = await openDatabase();
  return { ...treeStore(database), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

describe('paths on memory', () => attackSuite(memoryStore));
describe.runIf(process.platform === 'linux')('paths on local, by descriptors', () =>
  attackSuite(() => localStore('descriptor')),
);
describe('paths on local, by checks', () => attackSuite(() => localStore('checked')));
describe('paths on rest', () => attackSuite(restStore));
describe('paths on object', () => attackSuite(objectStore));
describe('paths on tree on SQLite', () => attackSuite(() => onTree(sqliteDatabase)));
describe.skipIf(mysqlServerUrl === undefined)('paths on tree on MySQL', () => attackSuite(() => onTree(mysqlDatabase)));
