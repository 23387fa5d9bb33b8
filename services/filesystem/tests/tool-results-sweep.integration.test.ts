import { brandId, randomIds, systemClock, type Uid } from '@spanwise/kernel';
import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { toolResultsDisk } from '../src/domain/view/tool-results.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { ToolResultsSweep } from '../src/infrastructure/retention/tool-results-sweep.ts';
import { never } from './files-fixture.ts';
import { allCounted, dayMs, miscounted, retained } from './retention-fixture.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

describe('on SQLite', () => suite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase));

function suite(openDatabase: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('removes what is too old, and what that leaves of sessions, whoever else does it at once', async () => {
    const { sql } = database.first;
    const nowMs = systemClock.nowMs();
    const versionLimits = { keep: 0, days: 1 };
    const diskAt = (daysAgo: number) =>
      new TreeDisk({
        name: toolResultsDisk,
        database: sql,
        clock: { nowMs: () => nowMs - daysAgo * dayMs },
        ids: randomIds(),
        versionLimits,
      });
    const keep = (daysAgo: number, session: string, name: string) => {
      const caller = { uid: brandId<Uid>(session), email: '', token: '' };
      const path = VirtualPath.parse(`/${session}/${name}`);
      return diskAt(daysAgo).write(caller, path, new TextEncoder().encode(`${session} ${name}`), {}, never);
    };
    // More than one look takes at once.
    for (let index = 0; index < 12; index += 1) {
      await keep(40, 'old', `${index}.txt`);
    }
    await keep(31, 'both', 'old.txt');
    await keep(31, 'both', 'again.txt');
    await keep(29, 'both', 'new.txt');
    await keep(1, 'both', 'again.txt');

    const sweep = new ToolResultsSweep({ database: sql, disk: diskAt(0), days: 30, pageSize: 5 });
    const counts = await Promise.all([sweep.sweep(nowMs, never), sweep.sweep(nowMs, never)]);
    expect(counts[0] + counts[1]).toBe(13);
    const left = await sql.all('select path from fs_nodes where disk = ? order by path', [toolResultsDisk]);
    expect(left.map(({ path }) => path)).toEqual(['/both', '/both/again.txt', '/both/new.txt']);
    const use = await sql.all('select uid, bytes, files from fs_usage where disk = ?', [toolResultsDisk]);
    expect(use).toEqual([{ uid: 'both', bytes: 26, files: 2 }]);
    expect(await sweep.sweep(nowMs, never)).toBe(0);

    const disks = new Map([[toolResultsDisk, diskAt(0)]]);
    // A directory goes after what was in it.
    await retained([database.first], disks, { aheadMs: dayMs });
    await retained([database.first], disks, { aheadMs: dayMs });
    expect(await sql.all('select path from fs_versions where disk = ?', [toolResultsDisk])).toEqual([]);
    expect((await sql.all('select hash from fs_blobs', [])).length).toBe(2);
    expect(await miscounted(database.first)).toEqual(allCounted);
  });
}
