import type { SqlExecutor, SqlValue } from '@spanwise/persistence';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { BlobPlace } from '../src/infrastructure/blobs/blob-place.ts';
import { TreeFiles } from '../src/infrastructure/disks/tree/tree-files.ts';
import { ada, never, utf8 } from './files-fixture.ts';
import { sqliteDatabase, type TestDatabase, treeStore } from './stores-under-test.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await sqliteDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

test('finds what was there at a head by its path, and not by looking through all changes', async () => {
  const { store, name } = treeStore(database);
  const path = VirtualPath.parse('/a/b/c');
  await store.write(ada, path, utf8('text'), {}, never);
  const { sql } = database.first;
  const asked: { text: string; parameters: readonly SqlValue[] }[] = [];
  const listening: SqlExecutor = {
    run: (text, parameters) => sql.run(text, parameters),
    all: (text, parameters) => {
      asked.push({ text, parameters });
      return sql.all(text, parameters);
    },
  };
  const pinned = new TreeFiles(name, { sql: listening, blobs: BlobPlace.inDatabase }, await store.head());
  await pinned.stat(ada, path, never);
  await pinned.trail(ada, VirtualPath.root, path, never);
  await pinned.list(ada, path.parent, { after: '', limit: 10, withEtags: true }, never);
  await pinned.read(ada, path, { offset: 0, length: 10 }, never);
  const plans: string[] = [];
  for (const { text, parameters } of asked) {
    const steps = await sql.all<{ detail: string }>(`explain query plan ${text}`, parameters);
    plans.push(...steps.map(({ detail }) => detail).filter((detail) => /^SEARCH fs_(?:nodes|versions)/.test(detail)));
  }
  expect(plans.length).toBe(8);
  expect(plans.filter((plan) => !/path_hash=\?|parent_hash=\?/.test(plan))).toEqual([]);
});
