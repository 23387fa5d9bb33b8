import { mysqlServerUrl } from '@spanwise/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bob, failureOf, mount } from './files-fixture.ts';
import { layersFixture } from './layers-fixture.ts';
import { memoryStore, mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';
import { countedUses, UsersOfDisk, useStep, writtenUses } from './usage-fixture.ts';
import { watchedDatabase } from './watched-database.ts';

describe('on SQLite', () => suite(sqliteDatabase, 250));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => {
  suite(mysqlDatabase, 50);
  concurrently();
});

function suite(openDatabase: () => Promise<TestDatabase>, runs: number) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  const uses = (disk: string) => writtenUses(database.first.sql, disk);

  test('counts files for whom wrote them, and what is taken away for whom it was counted', async () => {
    const files = await layersFixture(database);
    const [ofAda, ofBob] = [await files.open(false), await files.open(false, { caller: bob })];
    await ofAda.put('/workspace/d/a', '12345');
    await ofAda.put('/workspace/b', '123');
    expect(await uses(files.disk)).toEqual({ ada: [8, 2, 0, 0] });
    await ofBob.put('/workspace/b', '1234');
    expect(await uses(files.disk)).toEqual({ ada: [5, 1, 0, 0], bob: [4, 1, 0, 0] });
    await ofBob.move('/workspace/d', '/workspace/e');
    expect(await uses(files.disk)).toEqual({ ada: [5, 1, 0, 0], bob: [4, 1, 0, 0] });
    await ofBob.remove('/workspace/e');
    expect(await uses(files.disk)).toEqual({ bob: [4, 1, 0, 0] });
  });

  test('reserves what a run adds until it is published, and then counts the difference', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false, { caller: bob });
    await client.put('/workspace/a', '123');
    await client.put('/workspace/b', '1234');
    const run = await files.open(true);
    await run.put('/workspace/a', '12345');
    await run.put('/workspace/new', '12');
    await run.put('/workspace/new', '1');
    await run.remove('/workspace/b');
    expect(await uses(files.disk)).toEqual({ ada: [0, 0, 6, 2], bob: [7, 2, 0, 0] });
    await run.commit();
    expect(await uses(files.disk)).toEqual({ ada: [6, 2, 0, 0] });
  });

  test('keeps the reservation over a conflict, and lets go of it when the run is dropped', async () => {
    const files = await layersFixture(database);
    const run = await files.open(true);
    await run.put('/workspace/a', '12345');
    await (await files.open(false, { caller: bob })).put('/workspace/a', '12');
    expect((await run.commit()).result).toBe('CONFLICT');
    expect(await uses(files.disk)).toEqual({ ada: [0, 0, 5, 1], bob: [2, 1, 0, 0] });
    await run.rollBack();
    expect(await uses(files.disk)).toEqual({ bob: [2, 1, 0, 0] });
  });

  test('reserves nothing for disks that do not count', async () => {
    await using memory = await memoryStore();
    const mounts = [mount('/workspace'), mount('/scratch', { disk: 'scratch' })];
    const files = await layersFixture(database, { mounts, disks: new Map([['scratch', memory.store]]) });
    const run = await files.open(true);
    await run.put('/scratch/a', '12345');
    await run.put('/workspace/b', '12');
    expect(await uses(files.disk)).toEqual({ ada: [0, 0, 2, 1] });
    expect(await uses('scratch')).toEqual({});
    expect((await run.commit()).result).toBe('PUBLISHED');
    expect(await uses(files.disk)).toEqual({ ada: [2, 1, 0, 0] });
  });

  test('counts what a client writes over a union for the disk that takes it', async () => {
    await using memory = await memoryStore();
    const sources = [
      { disk: 'work', remote: '/', priority: 2, isOptional: false },
      { disk: 'below', remote: '/', priority: 1, isOptional: false },
    ] as const;
    const mounts = [{ ...mount('/workspace'), sources }, mount('/below', { disk: 'below' })];
    const disks = new Map([['below', memory.store]]);
    const files = await layersFixture(database, { mounts, disks, quota: { maxBytes: 6 } });
    const client = await files.open(false);
    await client.put('/below/a', '1234567890');
    await client.put('/workspace/a', '12345');
    expect(await uses(files.disk)).toEqual({ ada: [5, 1, 0, 0] });
    expect(await failureOf(client.put('/workspace/b', '12'))).toEqual({
      reason: 'QUOTA_EXCEEDED',
      facts: { limit: 'disk_bytes', max: 6, disk: files.disk },
    });
    await client.remove('/workspace/a');
    expect([await uses(files.disk), await client.all()]).toEqual([{}, {}]);
  });

  test('refuses what grows beyond a quota, changes nothing then, and lets everything shrink', async () => {
    const files = await layersFixture(database, { quota: { maxBytes: 10, maxFiles: 3 } });
    const { disk } = files;
    const tooLong = { reason: 'QUOTA_EXCEEDED', facts: { limit: 'disk_bytes', max: 10, disk } };
    const tooMany = { reason: 'QUOTA_EXCEEDED', facts: { limit: 'disk_files', max: 3, disk } };
    const client = await files.open(false);
    expect(await failureOf(client.put('/workspace/dir/a', '12345678901'))).toEqual(tooLong);
    expect(await client.all()).toEqual({});
    await client.put('/workspace/a', '123456');
    const run = await files.open(true);
    await run.put('/workspace/b', '123');
    expect(await failureOf(client.put('/workspace/c', '12'))).toEqual(tooLong);
    expect(await failureOf(run.put('/workspace/b', '12345'))).toEqual(tooLong);
    // What the run frees is not free before it is published.
    await run.remove('/workspace/a');
    expect(await failureOf(run.put('/workspace/c', '12'))).toEqual(tooLong);
    await run.put('/workspace/c', '1');
    expect(await failureOf(client.put('/workspace/d', ''))).toEqual(tooMany);
    expect(await failureOf(run.put('/workspace/d', ''))).toEqual(tooMany);
    await client.put('/workspace/a', '12345');
    expect(await client.all()).toEqual({ '/workspace/a': '12345' });
    expect(await run.all()).toEqual({ '/workspace/b': '123', '/workspace/c': '1' });
    await (await files.open(false, { caller: bob })).put('/workspace/of-bob', '1234567890');
    expect(await uses(disk)).toEqual({ ada: [5, 1, 4, 2], bob: [10, 1, 0, 0] });
  });

  test('lets a user who has too much write less and publish, but not more', async () => {
    const { disk, ...before } = await layersFixture(database);
    const client = await before.open(false);
    await client.put('/workspace/a', '123456');
    await client.put('/workspace/b', '123456');
    const files = await layersFixture(database, { name: disk, quota: { maxBytes: 5, maxFiles: 1 } });
    const now = await files.open(false);
    await now.put('/workspace/a', '12345');
    await now.move('/workspace/b', '/workspace/c');
    expect(await failureOf(now.put('/workspace/a', '1234567'))).toMatchObject({ reason: 'QUOTA_EXCEEDED' });
    const run = await files.open(true);
    expect(await failureOf(run.put('/workspace/d', ''))).toMatchObject({ reason: 'QUOTA_EXCEEDED' });
    await run.remove('/workspace/c');
    expect((await run.commit()).result).toBe('PUBLISHED');
    expect(await uses(disk)).toEqual({ ada: [5, 1, 0, 0] });
  });

  test('publishes what was never reserved only within the quota', async () => {
    const { disk, ...files } = await layersFixture(database, { quota: { maxBytes: 4 } });
    const { sql } = database.first;
    const run = await files.open(true);
    await run.put('/workspace/a', '1234');
    // As the layer of a run that has begun before use was counted.
    await sql.run("update fs_layer_nodes set disk = '' where view_id = ?", [run.viewId]);
    await sql.run('update fs_usage set reserved_bytes = 0, reserved_files = 0 where disk = ?', [disk]);
    const client = await files.open(false);
    await client.put('/workspace/b', '1');
    expect(await failureOf(run.commit())).toEqual({
      reason: 'QUOTA_EXCEEDED',
      facts: { limit: 'disk_bytes', max: 4, disk },
    });
    expect([await uses(disk), await client.all()]).toEqual([{ ada: [1, 1, 0, 0] }, { '/workspace/b': '1' }]);
    await client.remove('/workspace/b');
    expect((await run.commit()).result).toBe('PUBLISHED');
    expect(await uses(disk)).toEqual({ ada: [4, 1, 0, 0] });
  });

  test('counts nothing that was written before use was counted', async () => {
    const files = await layersFixture(database);
    const client = await files.open(false);
    await client.put('/workspace/old', '123');
    await client.put('/workspace/older', '1234');
    await database.first.sql.run("update fs_nodes set owner = '' where disk = ?", [files.disk]);
    await database.first.sql.run('delete from fs_usage where disk = ?', [files.disk]);
    await client.remove('/workspace/old');
    await client.put('/workspace/older', '12345');
    expect(await uses(files.disk)).toEqual({ ada: [5, 1, 0, 0] });
  });

  test('takes one statement more for a change, and two for the end of a run', async () => {
    const watched = watchedDatabase(database.first);
    const files = await layersFixture(watched);
    const counted = async (work: () => Promise<unknown>) => {
      watched.statements.length = 0;
      await work();
      const ofUse = watched.statements.filter((text) => text.includes('fs_usage') || text.includes('n.disk'));
      return { ofUse: ofUse.length, others: watched.statements.length - ofUse.length };
    };
    const [client, run] = [await files.open(false), await files.open(true)];
    await client.put('/workspace/a', '1');
    await run.put('/workspace/b', '1');
    expect({
      direct: await counted(() => client.put('/workspace/a', '12')),
      layered: await counted(() => run.put('/workspace/b', '12')),
      sameSize: await counted(() => client.put('/workspace/a', '21')),
      commit: (await counted(() => run.commit())).ofUse,
    }).toEqual({
      direct: { ofUse: 1, others: expect.any(Number) },
      layered: { ofUse: 1, others: expect.any(Number) },
      sameSize: { ofUse: 0, others: expect.any(Number) },
      commit: 2,
    });
  });

  test('is what a count of all files and layers says, after whatever two users did', { timeout: 240_000 }, async () => {
    const quota = fc.constantFrom({}, { maxBytes: 12 }, { maxFiles: 2 }, { maxBytes: 30, maxFiles: 4 });
    const met = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(fc.array(useStep, { minLength: 5, maxLength: 25 }), quota, async (steps, limits) => {
        const files = await layersFixture(database, { quota: limits });
        const users = new UsersOfDisk(files);
        for (const step of steps) {
          met.add(await users.take(step));
          const written = await uses(files.disk);
          expect(written).toEqual(await countedUses(database.first.sql, files.disk));
          for (const [bytes = 0, count = 0, reserved = 0, reservedCount = 0] of Object.values(written)) {
            expect(bytes + reserved).toBeLessThanOrEqual(limits.maxBytes ?? Infinity);
            expect(count + reservedCount).toBeLessThanOrEqual(limits.maxFiles ?? Infinity);
          }
        }
      }),
      { numRuns: runs },
    );
    expect(met).toContain('QUOTA_EXCEEDED');
  });
}

function concurrently() {
  test('never goes beyond a quota with eight writers on two replicas', { timeout: 120_000 }, async () => {
    await using database = await mysqlDatabase();
    const limits = { maxBytes: 60, maxFiles: 8 };
    const [one, two] = [watchedDatabase(database.first), watchedDatabase(database.second)];
    const first = await layersFixture(one, { quota: limits });
    const second = await layersFixture(two, { quota: limits, name: first.disk });
    const steps = fc.sample(useStep, { seed: 7, numRuns: 8 * 50 });
    const met: (string | undefined)[] = [];
    let isOver = false;
    const watching = (async () => {
      const seen: number[][] = [];
      while (!isOver) {
        for (const [bytes = 0, count = 0, reserved = 0, reservedCount = 0] of Object.values(
          await writtenUses(database.first.sql, first.disk),
        )) {
          seen.push([bytes + reserved, count + reservedCount]);
        }
      }
      return seen;
    })();
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        const users = new UsersOfDisk(worker % 2 === 0 ? first : second);
        for (const step of steps.slice(worker * 50, worker * 50 + 50)) {
          met.push(await users.take(step));
        }
      }),
    ).finally(() => {
      isOver = true;
    });
    const seen = await watching;
    expect(Math.max(...seen.map(([bytes = 0]) => bytes))).toBeLessThanOrEqual(limits.maxBytes);
    expect(Math.max(...seen.map(([, count = 0]) => count))).toBeLessThanOrEqual(limits.maxFiles);
    expect(met).toContain('QUOTA_EXCEEDED');
    expect(met).not.toContain('DISK_UNAVAILABLE');
    expect(await writtenUses(database.first.sql, first.disk)).toEqual(
      await countedUses(database.first.sql, first.disk),
    );
    // Everything locks in the same order: a deadlock is the exception.
    expect(one.retries() + two.retries()).toBeLessThan(met.length / 10);
  });
}
