import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ada, bob, failureOf, mount, never } from './files-fixture.ts';
import { type LayersFixture, layersFixture, type OpenedView } from './layers-fixture.ts';
import { memoryStore, mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

describe('on SQLite', () => suite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase));

function suite(openDatabase: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const path = '/workspace/d/a.txt';

  test('lists what was published at a path, newest first, and marks what is there', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    const first = await client.put(path, 'one');
    const second = await client.put(path, 'three');
    const versions = await listed(files, client);
    expect(versions).toEqual([
      { version: expect.any(Number), node: second, isCurrent: true },
      { version: expect.any(Number), node: first, isCurrent: false },
    ]);
    expect((versions[0]?.version ?? 0) > (versions[1]?.version ?? 0)).toBe(true);
    await client.remove('/workspace/d');
    expect((await listed(files, client)).map(({ node, isCurrent }) => ({ node, isCurrent }))).toEqual([
      { node: second, isCurrent: false },
      { node: first, isCurrent: false },
    ]);
    for (const none of ['/', '/workspace', '/workspace/d', '/workspace/never']) {
      expect(await listed(files, client, none)).toEqual([]);
    }
  });

  test('lists the newest 20', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    const nodes = [];
    for (let index = 0; index < 23; index += 1) {
      nodes.push(await client.put(path, `content ${index}`));
    }
    expect((await listed(files, client)).map(({ node }) => node)).toEqual(nodes.toReversed().slice(0, 20));
  });

  test('shows a run nothing newer than what it has found, and nothing of its own', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    const first = await client.put(path, 'one');
    const second = await client.put(path, 'two');
    const run = await files.open(true);
    await client.put(path, 'three');
    await run.put(path, 'of the run');
    const found = await listed(files, run);
    expect(found.map(({ node, isCurrent }) => ({ node, isCurrent }))).toEqual([
      { node: second, isCurrent: true },
      { node: first, isCurrent: false },
    ]);
    const [newest] = await listed(files, client);
    const tooNew = restored(files, run, newest?.version ?? 0);
    expect(await failureOf(tooNew)).toEqual({ reason: 'VERSION_NOT_FOUND', facts: { path } });
    await run.rollBack();
    expect((await listed(files, run)).length).toBe(3);
  });

  test('restores a version as new content', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    const first = await client.put(path, 'one');
    const second = await client.put(path, 'two');
    const [, old] = await listed(files, client);
    const version = old?.version ?? 0;
    const mismatch = { reason: 'ETAG_MISMATCH', facts: { path, etag: second.etag } };
    expect(await failureOf(restored(files, client, version, { ifMatch: first.etag }))).toEqual(mismatch);
    const answer = await restored(files, client, version, { ifMatch: second.etag });
    expect([answer.node.etag, await client.text(path)]).toEqual([first.etag, 'one']);
    expect((await listed(files, client)).map(({ node }) => node.etag)).toEqual([first.etag, second.etag, first.etag]);
    await client.remove('/workspace/d');
    await restored(files, client, version);
    expect(await client.text(path)).toBe('one');
    const unknown = { reason: 'VERSION_NOT_FOUND', facts: { path } };
    expect(await failureOf(restored(files, client, version + 10_000))).toEqual(unknown);
    expect(await failureOf(restored(files, client, 0))).toEqual(unknown);
    expect(await client.outputs()).toEqual([path]);
  });

  test('restores in a run for the run alone, until it is published', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await client.put(path, 'one');
    const second = await client.put(path, 'two');
    const run = await files.open(true);
    const [, old] = await listed(files, run);
    await restored(files, run, old?.version ?? 0, { ifMatch: second.etag });
    expect([await run.text(path), await client.text(path)]).toEqual(['one', 'two']);
    expect((await run.commit()).result).toBe('PUBLISHED');
    expect(await client.text(path)).toBe('one');
    expect(await failureOf(restored(files, run, old?.version ?? 0))).toEqual({ reason: 'VIEW_CLOSED', facts: {} });
  });

  test('answers a repeated request as it did, and changes nothing again', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    const first = await client.put(path, 'one');
    const second = await client.put(path, 'two');
    const [, old] = await listed(files, client);
    const once = { key: 'a', requestHash: 'h' };
    const answer = await restored(files, client, old?.version ?? 0, { ifMatch: second.etag, once });
    await client.put(path, 'three');
    expect(await restored(files, client, old?.version ?? 0, { ifMatch: second.etag, once })).toEqual(answer);
    expect([answer.node.etag, await client.text(path)]).toEqual([first.etag, 'three']);
    const other = restored(files, client, old?.version ?? 0, { once: { ...once, requestHash: 'other' } });
    expect(await failureOf(other)).toEqual({ reason: 'IDEMPOTENCY_KEY_REUSED', facts: {} });
    await files.fence.execute({ sessionId: client.sessionId, epoch: 1, stop: true });
    for (const late of [{ once }, {}]) {
      const failure = await failureOf(restored(files, client, old?.version ?? 0, late));
      expect(failure).toEqual({ reason: 'FENCED', facts: {} });
    }
  });

  test('refuses what may not be, in the order of all use cases', async () => {
    await using far = await memoryStore();
    const mounts = [
      mount('/workspace'),
      mount('/shown', { remote: '/d', isReadOnly: true }),
      mount('/far', { disk: 'far' }),
    ];
    const files = await layersFixture(database, { mounts, disks: new Map([['far', far.store]]) });
    const client = await files.open(false);
    await client.put(path, 'one');
    const [now] = await listed(files, client);
    const version = now?.version ?? 0;
    expect(await listed(files, client, '/shown/a.txt')).toEqual([now]);
    const { viewId } = client;
    const foreign = files.listVersions.execute(bob, { viewId, path });
    expect(await failureOf(foreign)).toEqual({ reason: 'VIEW_NOT_FOUND', facts: {} });
    expect(await failureOf(listed(files, client, '/far/a'))).toEqual({
      reason: 'DISK_UNSUPPORTED',
      facts: { disk: 'far' },
    });
    const refusals = ['/none/a', '/shown/a.txt', '/workspace', '/far/a', '/workspace/d'].map(async (each) => {
      const failure = await failureOf(restored(files, client, version, { path: each }));
      return typeof failure === 'object' && failure !== null && 'reason' in failure ? failure.reason : failure;
    });
    expect(await Promise.all(refusals)).toEqual([
      'FILE_NOT_FOUND',
      'MOUNT_READ_ONLY',
      'NOT_A_FILE',
      'DISK_UNSUPPORTED',
      'VERSION_NOT_FOUND',
    ]);
    // A directory is not written over by what was a file there.
    await client.remove('/workspace/d');
    await client.put('/workspace/d/a.txt/b', 'below');
    expect(await failureOf(restored(files, client, version))).toEqual({ reason: 'NOT_A_FILE', facts: { path } });
  });

  function listed(files: LayersFixture, { viewId }: OpenedView, at: string = path) {
    return files.listVersions.execute(ada, { viewId, path: at });
  }

  function restored(
    files: LayersFixture,
    { viewId }: OpenedView,
    version: number,
    options: { path?: string; ifMatch?: string; once?: { key: string; requestHash: string } } = {},
  ) {
    const request = { viewId, path, epoch: 1, ifMatch: undefined, ...options, version };
    return files.restore.execute(ada, request, never);
  }
}
