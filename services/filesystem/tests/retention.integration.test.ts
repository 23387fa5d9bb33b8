import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { SqlRetentionRepository } from '../src/infrastructure/retention/sql-retention-repository.ts';
import { ada, failureOf, mount, never } from './files-fixture.ts';
import { type LayersFixture, layersFixture, type OpenedView } from './layers-fixture.ts';
import { allCounted, dayMs, minuteMs, miscounted, openedRun, retained } from './retention-fixture.ts';
import { memoryStore, mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

describe('on SQLite', () => suite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase));

const nothing = { prunedVersions: 0, expiredLayers: 0, unpinnedViews: 0, forgottenKeys: 0, swept: 0 };
const path = '/workspace/d/a.txt';

function suite(openDatabase: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const sql = () => database.first.sql;

  async function overwritten(client: OpenedView, times: number): Promise<void> {
    for (let index = 0; index < times; index += 1) {
      await client.put(path, `content ${index}`);
    }
  }

  const openRun = (files: LayersFixture) => openedRun(database.first, files);

  async function versionsKept(disk: string): Promise<number> {
    return (await sql().all('select head from fs_versions where disk = ?', [disk])).length;
  }

  test('keeps the last 20 versions of a file, all of those of the last minutes, and none for too long', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await overwritten(client, 26);
    expect(await retained([database.first], files.disks, { aheadMs: 0 })).toEqual([nothing]);
    expect(await versionsKept(files.disk)).toBe(25);
    expect(await retained([database.first], files.disks)).toEqual([{ ...nothing, prunedVersions: 5 }]);
    expect(await retained([database.first], files.disks)).toEqual([nothing]);
    const versions = await files.listVersions.execute(ada, { viewId: client.viewId, path });
    expect(await versionsKept(files.disk)).toBe(20);
    // Directories are made first: the file is of the first change.
    const [head] = await sql().all('select head, pruned_head from fs_heads where disk = ?', [files.disk]);
    expect(head).toEqual({ head: 26, pruned_head: 6 });
    expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, (_, index) => 26 - index));
    const [later] = await retained([database.first], files.disks, { aheadMs: 30 * dayMs + minuteMs });
    expect([later?.prunedVersions, await versionsKept(files.disk), await client.text(path)]).toEqual([
      20,
      0,
      'content 25',
    ]);
    expect(await miscounted(database.first)).toEqual(allCounted);
  });

  test('keeps nothing for a list of a disk that keeps no versions, nor of what was a directory', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await overwritten(client, 3);
    await client.remove('/workspace/d');
    const none = new Map([[files.disk, Object.assign(files.tree, { versionLimits: { keep: 0, days: 30 } })]]);
    expect(await retained([database.first], none)).toEqual([{ ...nothing, prunedVersions: 4 }]);
    expect(await miscounted(database.first)).toEqual(allCounted);
  });

  test('lets a run that goes on read what it has found, however much is pruned', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await client.put('/workspace/gone/b.txt', 'b');
    await client.put(path, 'as found');
    const [idle, busy, inConflict] = [await openRun(files), await openRun(files), await openRun(files)];
    await busy.put('/workspace/own.txt', 'own');
    await inConflict.put(path, 'conflicting');
    await client.remove('/workspace/gone');
    await overwritten(client, 25);
    expect((await inConflict.commit()).result).toBe('CONFLICT');
    const found = { '/workspace/d': null, '/workspace/gone': null, '/workspace/gone/b.txt': 'b' };
    for (const aheadMs of [60 * minuteMs, dayMs - 60 * minuteMs]) {
      await retained([database.first], files.disks, { aheadMs });
      expect([await idle.all(), await busy.all(), await inConflict.all()]).toEqual([
        { ...found, [path]: 'as found' },
        { ...found, [path]: 'as found', '/workspace/own.txt': 'own' },
        { ...found, [path]: 'conflicting' },
      ]);
    }
    expect(await versionsKept(files.disk)).toBe(23);
    await busy.rollBack();
    await retained([database.first], files.disks, { aheadMs: dayMs - 60 * minuteMs });
    expect(await idle.text(path)).toBe('as found');
    expect(await miscounted(database.first)).toEqual(allCounted);
  });

  test('shows the disk as it is to a view that has changed nothing for a day, also when it changes something then', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await client.put('/workspace/gone.txt', 'g');
    await client.put(path, 'as found');
    const [idle, late] = [await openRun(files), await openRun(files)];
    await client.remove('/workspace/gone.txt');
    await overwritten(client, 25);
    const aheadMs = dayMs + minuteMs;
    const [first] = await retained([database.first], files.disks, { aheadMs });
    // Who has looked at it just before reads on for some minutes.
    expect([(first?.unpinnedViews ?? 0) >= 2, await versionsKept(files.disk)]).toEqual([true, 22]);
    const now = { '/workspace/d': null, [path]: 'content 24' };
    expect([await idle.all(), await late.all()]).toEqual([now, now]);
    await retained([database.first], files.disks, { aheadMs: aheadMs + 60 * minuteMs });
    expect(await versionsKept(files.disk)).toBe(21);
    await late.put('/workspace/late.txt', 'l');
    await client.put(path, 'newer');
    expect(await late.all()).toEqual({ ...now, [path]: 'newer', '/workspace/late.txt': 'l' });
    expect((await late.commit()).result).toBe('PUBLISHED');
    expect((await idle.rollBack()).state).toBe('ROLLED_BACK');
    expect(await idle.all()).toEqual({ ...now, [path]: 'newer', '/workspace/late.txt': 'l' });
  });

  test('is done once when several replicas do it at the same moment', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await Promise.all(
      ['w', 'x', 'y', 'z'].map(async (name) => {
        for (let index = 0; index < 40; index += 1) {
          // Half of the content is shared between files.
          await client.put(`/workspace/${name}`, index % 2 === 0 ? `${index}` : `${name} ${index}`);
        }
      }),
    );
    const writes = overwritten(client, 20);
    const looks = await retained([database.first, database.second, database.first], files.disks);
    await writes;
    await retained([database.first], files.disks);
    expect(looks.reduce((sum, { prunedVersions }) => sum + prunedVersions, 0)).toBe(4 * 19);
    expect(await miscounted(database.first)).toEqual(allCounted);
  });

  test('drops what was left in conflict for a day', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await client.put(path, 'one');
    const run = await openRun(files);
    await run.put(path, 'of the run');
    for (let index = 0; index < 300; index += 1) {
      await run.put(`/workspace/many/${index}`, `${index}`);
    }
    await client.put(path, 'two');
    expect((await run.commit()).result).toBe('CONFLICT');
    const [early] = await retained([database.first], files.disks, { aheadMs: dayMs - minuteMs });
    expect([early?.expiredLayers, (await run.diff()).state]).toEqual([0, 'CONFLICT']);
    const aheadMs = dayMs + minuteMs;
    const looks = await retained([database.first, database.second], files.disks, { aheadMs });
    expect(looks.reduce((sum, { expiredLayers }) => sum + expiredLayers, 0)).toBe(1);
    expect(await run.diff()).toEqual({ changes: [], nextPageToken: '', state: 'ROLLED_BACK' });
    expect(await run.rollBack(0)).toEqual({ state: 'ROLLED_BACK', changes: 302 });
    expect(await run.commit(true, 0)).toMatchObject({ result: 'ROLLED_BACK', changes: 302 });
    expect([await run.all(), await run.outputs()]).toEqual([await client.all(), []]);
    expect(await sql().all('select path from fs_layer_nodes where view_id = ?', [run.viewId])).toEqual([]);
    expect(await miscounted(database.first)).toEqual(allCounted);
  });

  test('ends publishing that a disk has kept waiting for a day, and tells what is left', async () => {
    await using far = await memoryStore();
    const mounts = [mount('/workspace', { isOutput: true }), mount('/far', { disk: 'far' })];
    const files = await layersFixture(database, { mounts, disks: new Map([['far', far.store]]) });
    const run = await openRun(files);
    await run.put(path, 'published');
    await run.put('/far/a', 'a');
    await run.put('/far/b', 'b');
    const write = far.store.write.bind(far.store);
    Object.assign(far.store, {
      write: (...args: Parameters<typeof write>) =>
        args[1].text === '/b' ? Promise.reject(new DOMException('away', 'AbortError')) : write(...args),
    });
    await expect(run.commit()).rejects.toThrow('away');
    expect((await run.diff()).state).toBe('PUBLISHING');
    await retained([database.first], files.disks, { aheadMs: dayMs + minuteMs });
    expect((await run.diff()).state).toBe('PUBLISHED');
    const { result, unpublished, changes, outputs } = await run.commit();
    expect({ result, changes, outputs }).toEqual({ result: 'PARTIAL', changes: 4, outputs: [path] });
    expect(unpublished).toContain('/far/b');
    expect(await sql().all('select path from fs_layer_nodes where view_id = ?', [run.viewId])).toEqual([]);
    expect(await miscounted(database.first)).toEqual(allCounted);
  });

  test('forgets answers after 30 days', async () => {
    const files = await layersFixture(database);
    const { viewId } = await files.open(false);
    const once = { key: 'k', requestHash: 'h' };
    await files.writeFile.execute(ada, { viewId, path, data: new Uint8Array(), once }, never);
    await retained([database.first], files.disks, { aheadMs: 29 * dayMs });
    const keys = () => sql().all('select idempotency_key from fs_keys where view_id = ?', [viewId]);
    expect(await keys()).toEqual([{ idempotency_key: 'k' }]);
    const [look] = await retained([database.first], files.disks, { aheadMs: 31 * dayMs });
    expect([look?.forgottenKeys, await keys()]).toEqual([1, []]);
  });

  test('ends early when it is told to, calls further sweeps, and leaves nothing behind after the files are erased', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await overwritten(client, 120);
    const [stopped] = await retained([database.first], files.disks, { signal: AbortSignal.abort() });
    expect(stopped).toEqual({ ...nothing, unpinnedViews: stopped?.unpinnedViews });
    const [whole] = await retained([database.first], files.disks, { sweeps: [async () => 2, async () => 3] });
    expect([whole?.prunedVersions, whole?.swept]).toEqual([99, 5]);
    await Promise.all([
      files.tree.erase(VirtualPath.parse('/d')),
      retained([database.second], files.disks, { aheadMs: 40 * dayMs }),
    ]);
    expect(await versionsKept(files.disk)).toBe(0);
    expect(await failureOf(client.text(path))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    expect(await miscounted(database.first)).toEqual(allCounted);
  });

  test('unpins no view of a session whose data was deleted', async () => {
    const files = await layersFixture(database);
    const run = await openRun(files);
    await files.deleteSessionData.execute(ada, run.sessionId, never);
    await new SqlRetentionRepository(sql()).unpin(Date.now() + dayMs, Date.now(), 500);
    expect(await sql().all('select view_id from fs_layers where view_id = ?', [run.viewId])).toEqual([]);
  });
}
