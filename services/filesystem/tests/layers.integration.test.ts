import { mysqlServerUrl } from '@spanwise/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderBlobs, objectBlobs, withBlobsIn } from './blobs-fixture.ts';
import { failureOf, mount } from './files-fixture.ts';
import { type LayersFixture, layersFixture } from './layers-fixture.ts';
import { memoryStore, mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';
import { changeStep, tryChange } from './view-steps.ts';

describe('on SQLite', () => suite(sqliteDatabase, 300));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase, 60));
describe('on SQLite, content in a folder', () => suite(() => withBlobsIn(folderBlobs, sqliteDatabase), 20));
describe('on SQLite, content in objects', () => suite(() => withBlobsIn(objectBlobs, sqliteDatabase), 20));

function suite(openDatabase: () => Promise<TestDatabase>, runs: number) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  /** A session with files in it, by a client outside of runs. */
  async function begun(files: LayersFixture, contents: Record<string, string>) {
    const client = await files.open(false);
    for (const [path, text] of Object.entries(contents)) {
      await client.put(`/workspace/${path}`, text);
    }
    return client;
  }

  test('keeps what a run changes to itself until it is published, all at once', async () => {
    const files = await layersFixture(database);
    const client = await begun(files, { 'kept.txt': 'k', 'old/a.txt': 'a', 'old/b.txt': 'b', 'c.txt': 'c' });
    const run = await files.open(true);
    await run.put('/workspace/new/n.txt', 'n');
    await run.put('/workspace/c.txt', 'c2');
    await run.remove('/workspace/old');
    const before = { '/workspace/c.txt': 'c', '/workspace/kept.txt': 'k', '/workspace/old': null };
    expect(await client.all()).toEqual({ ...before, '/workspace/old/a.txt': 'a', '/workspace/old/b.txt': 'b' });
    const after = {
      '/workspace/c.txt': 'c2',
      '/workspace/kept.txt': 'k',
      '/workspace/new': null,
      '/workspace/new/n.txt': 'n',
    };
    expect(await run.all()).toEqual(after);
    expect(await run.diff()).toEqual({
      changes: [
        '/workspace/c.txt file file',
        '/workspace/new directory none',
        '/workspace/new/n.txt file none',
        '/workspace/old whiteout directory',
      ],
      nextPageToken: '',
      state: 'OPEN',
    });
    const outputs = ['/workspace/c.txt', '/workspace/new/n.txt'];
    const answer = { result: 'PUBLISHED', conflicts: [], unpublished: [], outputs, changes: 4 };
    expect(await run.commit()).toEqual(answer);
    expect([await client.all(), await run.all()]).toEqual([after, after]);
    expect(await run.commit()).toEqual(answer);
    expect(await run.diff()).toEqual({ changes: [], nextPageToken: '', state: 'PUBLISHED' });
    expect(await failureOf(run.put('/workspace/late.txt', 'x'))).toEqual({ reason: 'VIEW_CLOSED', facts: {} });
    expect(await run.rollBack()).toEqual({ state: 'PUBLISHED', changes: 4 });
    expect(await client.all()).toEqual(after);
  });

  test('shows a run the files as they were when it began', async () => {
    const files = await layersFixture(database);
    const client = await begun(files, { 'a.txt': 'a', 'd/b.txt': 'b', 'gone.txt': 'g' });
    const run = await files.open(true);
    const before = await run.all();
    await client.put('/workspace/a.txt', 'a2');
    await client.remove('/workspace/d');
    await client.put('/workspace/d', 'a file now');
    await client.remove('/workspace/gone.txt');
    await client.put('/workspace/later.txt', 'l');
    expect(await run.all()).toEqual(before);
    await run.put('/workspace/own.txt', 'o');
    expect(await run.all()).toEqual({ ...before, '/workspace/own.txt': 'o' });
    expect((await run.commit()).result).toBe('PUBLISHED');
    expect(await run.all()).toEqual({
      '/workspace/a.txt': 'a2',
      '/workspace/d': 'a file now',
      '/workspace/later.txt': 'l',
      '/workspace/own.txt': 'o',
    });
  });

  test('publishes nothing when somebody else has changed what it has changed', async () => {
    const files = await layersFixture(database);
    const client = await begun(files, { 'a.txt': 'a', 'd/b.txt': 'b' });
    const run = await files.open(true);
    await run.put('/workspace/a.txt', 'by the run');
    await run.put('/workspace/x.txt', 'by the run');
    await run.remove('/workspace/d');
    await client.put('/workspace/a.txt', 'by the client');
    await client.put('/workspace/x.txt', 'by the client');
    await client.put('/workspace/d/new.txt', 'by the client');
    const others = await client.all();
    const conflicts = ['/workspace/a.txt', '/workspace/d/new.txt', '/workspace/x.txt'];
    const refused = { result: 'CONFLICT', conflicts, unpublished: [], outputs: [], changes: 0 };
    expect(await run.commit()).toEqual(refused);
    expect(await run.commit()).toEqual(refused);
    expect(await client.all()).toEqual(others);
    expect((await run.diff()).state).toBe('CONFLICT');
    expect(await run.text('/workspace/a.txt')).toBe('by the run');
    expect(await failureOf(run.put('/workspace/late.txt', 'x'))).toEqual({ reason: 'VIEW_CLOSED', facts: {} });
    expect((await run.commit(false, 0)).result).toBe('CONFLICT');
    expect((await run.commit(true, 0)).result).toBe('PUBLISHED');
    expect(await client.all()).toEqual({ '/workspace/a.txt': 'by the run', '/workspace/x.txt': 'by the run' });
  });

  test('drops what a run has changed, as if it had never been', async () => {
    const files = await layersFixture(database);
    const client = await begun(files, { 'a.txt': 'a', 'd/b.txt': 'b' });
    const before = await client.all();
    const { sql } = database.first;
    const blobs = async () => sql.all('select hash, uses from fs_blobs order by hash', []);
    const kept = await blobs();
    const run = await files.open(true);
    await run.put('/workspace/a.txt', 'changed');
    await run.move('/workspace/d', '/workspace/e/f');
    await run.put('/workspace/e/f/b.txt', 'b2');
    expect(await run.outputs()).toEqual(['/workspace/a.txt', '/workspace/e/f/b.txt']);
    expect(await run.rollBack()).toEqual({ state: 'ROLLED_BACK', changes: 5 });
    expect(await run.rollBack()).toEqual({ state: 'ROLLED_BACK', changes: 5 });
    expect([await client.all(), await run.all()]).toEqual([before, before]);
    expect(await blobs()).toEqual(kept);
    expect(await run.outputs()).toEqual([]);
    expect(await run.commit()).toMatchObject({ result: 'ROLLED_BACK', changes: 5 });
    expect(await failureOf(run.put('/workspace/late.txt', 'x'))).toEqual({ reason: 'VIEW_CLOSED', facts: {} });
  });

  test('lets only the driver end a run, and no driver that was replaced', async () => {
    const files = await layersFixture(database);
    const run = await files.open(true);
    await run.put('/workspace/a.txt', 'a');
    for (const end of [() => run.commit(false, 0), () => run.rollBack(0)]) {
      expect(await failureOf(end())).toEqual({ reason: 'LAYER_IN_USE', facts: {} });
    }
    // A driver that gave up while this service was away is not waited for.
    const left = await files.open(true);
    await left.put('/workspace/left.txt', 'l');
    files.clock.advance(Date.now() + 600_000);
    expect((await left.commit(false, 0)).result).toBe('PUBLISHED');
    // Its own stop does not keep a driver from publishing.
    await files.fence.execute({ sessionId: run.sessionId, epoch: 1, stop: true });
    expect(await failureOf(run.put('/workspace/b.txt', 'b'))).toEqual({ reason: 'FENCED', facts: {} });
    const other = await files.open(true, { sessionId: run.sessionId });
    expect((await run.commit()).result).toBe('PUBLISHED');
    await files.fence.execute({ sessionId: run.sessionId, epoch: 2, stop: false });
    for (const end of [() => other.commit(), () => other.rollBack()]) {
      expect(await failureOf(end())).toEqual({ reason: 'FENCED', facts: {} });
    }
    expect((await other.commit(false, 2)).result).toBe('PUBLISHED');
  });

  test('bounds what a layer holds, and loses nothing at the bound', async () => {
    const files = await layersFixture(database, { limits: { maxBytes: 10, maxEntries: 4 } });
    const run = await files.open(true);
    await run.put('/workspace/a', '12345');
    const full = { reason: 'QUOTA_EXCEEDED', facts: { limit: 'layer_bytes', max: 10 } };
    expect(await failureOf(run.put('/workspace/b', '123456'))).toEqual(full);
    await run.put('/workspace/b', '12345');
    await run.put('/workspace/a', '1');
    await run.put('/workspace/c/d', '1');
    const many = { reason: 'QUOTA_EXCEEDED', facts: { limit: 'layer_entries', max: 4 } };
    expect(await failureOf(run.put('/workspace/e', ''))).toEqual(many);
    const all = { '/workspace/a': '1', '/workspace/b': '12345', '/workspace/c': null, '/workspace/c/d': '1' };
    expect(await run.all()).toEqual(all);
    expect((await run.commit()).result).toBe('PUBLISHED');
    expect(await run.all()).toEqual(all);
  });

  test('publishes to a disk that is no tree, file by file, over nothing that others have written', async () => {
    await using far = await memoryStore();
    const mounts = [mount('/workspace', { isOutput: true }), mount('/far', { disk: 'far' })];
    const files = await layersFixture(database, { mounts, disks: new Map([['far', far.store]]) });
    const client = await files.open(false);
    for (const path of ['/far/a', '/far/d/b', '/far/d/e/c', '/far/f/g']) {
      await client.put(path, path);
    }
    const run = await files.open(true);
    await run.put('/workspace/w', 'w');
    await run.put('/far/a', 'a2');
    await run.remove('/far/d');
    await run.put('/far/d', 'a file now');
    await run.put('/far/n/m', 'new');
    await run.remove('/far/f/g');
    const seen = { '/far/a': 'a2', '/far/d': 'a file now', '/far/f': null, '/far/n': null, '/far/n/m': 'new' };
    expect(await run.all('/far')).toEqual(seen);
    await client.put('/far/f/x', 'by the client');
    expect(await run.commit()).toMatchObject({ result: 'PUBLISHED', conflicts: [], unpublished: [] });
    expect(await client.all('/far')).toEqual({ ...seen, '/far/f/x': 'by the client' });
    const next = await files.open(true);
    await next.put('/workspace/w', 'w2');
    await next.put('/far/a', 'a3');
    await client.put('/far/a', 'by the client');
    expect(await next.commit()).toMatchObject({ result: 'CONFLICT', conflicts: ['/far/a'] });
    expect(await client.text('/workspace/w')).toBe('w');
  });

  test('loses no update, whatever a run and a client change at the same time', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(changeStep, { maxLength: 5 }),
        fc.array(changeStep, { maxLength: 7 }),
        fc.array(changeStep, { maxLength: 5 }),
        async (first, own, theirs) => {
          const files = await layersFixture(database);
          const client = await files.open(false);
          for (const each of first) {
            await tryChange(client, each, 'first');
          }
          const base = await client.all();
          const run = await files.open(true);
          for (let index = 0; index < Math.max(own.length, theirs.length); index += 1) {
            await tryChange(run, own[index], 'run');
            await tryChange(client, theirs[index], 'client');
          }
          const [seen, others] = [await run.all(), await client.all()];
          const { result, conflicts } = await run.commit();
          assertMerged({ base, seen, others, published: await client.all(), result, conflicts });
        },
      ),
      { numRuns: runs },
    );
  });
}

type All = Record<string, string | null>;

interface Outcome {
  readonly base: All;
  /** What the run sees. */
  readonly seen: All;
  /** What was there before it was published. */
  readonly others: All;
  readonly published: All;
  readonly result: string;
  readonly conflicts: readonly string[];
}

function assertMerged({ base, seen, others, published, result, conflicts }: Outcome): void {
  const paths = [...new Set([base, seen, others, published].flatMap((each) => Object.keys(each)))];
  const isOwn = (each: string) => seen[each] !== base[each];
  const isTheirs = (each: string) => others[each] !== base[each];
  const isRemovedByRun = (each: string) =>
    paths.some((above) => each.startsWith(`${above}/`) && base[above] === null && seen[above] !== null);
  if (result === 'CONFLICT') {
    expect(published).toEqual(others);
    expect(conflicts.length).toBeGreaterThan(0);
    const isReal = (each: string) =>
      isTheirs(each) ||
      paths.some((other) => isTheirs(other) && (other.startsWith(`${each}/`) || each.startsWith(`${other}/`)));
    expect(conflicts.filter((each) => !isReal(each))).toEqual([]);
    return;
  }
  for (const each of paths) {
    const isParent =
      published[each] === null && paths.some((below) => below.startsWith(`${each}/`) && below in published);
    const expected = isOwn(each) ? seen[each] : others[each];
    if (!isParent || expected !== undefined) {
      expect([each, published[each]]).toEqual([each, expected]);
    }
    if (isTheirs(each) && (isOwn(each) || isRemovedByRun(each))) {
      // Both have changed it: only the same change is no conflict.
      expect([each, others[each]]).toEqual([each, seen[each]]);
    }
  }
}
