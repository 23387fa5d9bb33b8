import { randomIds, systemClock } from '@spanwise/kernel';
import { mysqlServerUrl } from '@spanwise/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import type { MountTemplate } from '../src/domain/view/mount-template.ts';
import { MemoryDisk } from '../src/infrastructure/disks/memory/memory-disk.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { ada, failureOf, never, utf8 } from './files-fixture.ts';
import { layersFixture } from './layers-fixture.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';
import { changeStep, tryChange } from './view-steps.ts';

const source = (disk: string, priority: number) => ({ disk, remote: '/', priority, isOptional: false });
const union: MountTemplate = {
  path: VirtualPath.parse('/workspace'),
  sources: [source('work', 30), source('shelf', 20), source('books', 10)],
  isReadOnly: false,
  isOutput: true,
};

describe('on SQLite', () => suite(sqliteDatabase, 200));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase, 30));

function suite(openDatabase: () => Promise<TestDatabase>, runs: number) {
  let database: TestDatabase;
  let made = 0;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  /** A tree disk over one in memory over another tree disk, which have files already. */
  async function unionFixture(shelf: Record<string, string>, books: Record<string, string>) {
    made += 1;
    const memory = new MemoryDisk({ clock: systemClock });
    const tree = new TreeDisk({
      name: `books-${made}`,
      database: database.first.sql,
      clock: systemClock,
      ids: randomIds(),
    });
    for (const [disk, files] of [[memory, shelf] as const, [tree, books] as const]) {
      for (const [path, text] of Object.entries(files)) {
        await disk.write(ada, VirtualPath.parse(path), utf8(text), {}, never);
      }
    }
    const disks = new Map<string, FileStore>([
      ['shelf', memory],
      ['books', tree],
    ]);
    const files = await layersFixture(database, { mounts: [union], disks });
    const lower = () => Promise.all([memory, tree].map((disk) => disk.list(ada, VirtualPath.root, page, never)));
    return { ...files, lower };
  }
  const page = { after: '', limit: 100, withEtags: true };

  test('writes to the first source, copies up, and hides what is deleted or made again', async () => {
    const files = await unionFixture({ '/a/x': 'shelf', '/s': 'shelf' }, { '/a/y': 'books', '/b': 'books' });
    const client = await files.open(false);
    const before = await files.lower();
    await client.put('/workspace/a/x', 'new');
    await client.remove('/workspace/b');
    expect(await client.all()).toEqual({
      '/workspace/a': null,
      '/workspace/a/x': 'new',
      '/workspace/a/y': 'books',
      '/workspace/s': 'shelf',
    });
    await client.remove('/workspace/a');
    await client.makeDirectory('/workspace/a');
    expect(await client.all()).toEqual({ '/workspace/a': null, '/workspace/s': 'shelf' });
    await client.move('/workspace/s', '/workspace/a/s');
    expect(await client.all()).toEqual({ '/workspace/a': null, '/workspace/a/s': 'shelf' });
    expect(await files.lower()).toEqual(before);
    expect(await failureOf(client.put('/workspace/a/s', 'x', { ifMatch: 'other' }))).toMatchObject({
      reason: 'ETAG_MISMATCH',
    });
  });

  test('publishes a run as it has seen the union', { timeout: 120_000 }, async () => {
    const paths = fc.array(fc.constantFrom('/a', '/a/a', '/a/b/a', '/b/a', '/b/b'), { maxLength: 4 });
    const contents = (where: string, all: readonly string[]) => {
      const kept = all.filter((path) => !all.some((other) => other.startsWith(`${path}/`)));
      return Object.fromEntries(kept.map((path) => [path, `${where} ${path}`]));
    };
    const steps = fc.array(changeStep, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(paths, paths, steps, steps, async (shelf, books, first, own) => {
        const files = await unionFixture(contents('shelf', shelf), contents('books', books));
        const before = await files.lower();
        const client = await files.open(false);
        for (const each of first) {
          await tryChange(client, each, 'client');
        }
        const run = await files.open(true);
        expect(await run.all()).toEqual(await client.all());
        for (const each of own) {
          await tryChange(run, each, 'run');
        }
        const seen = await run.all();
        expect(await run.commit()).toMatchObject({ result: 'PUBLISHED', conflicts: [] });
        expect([await client.all(), await run.all()]).toEqual([seen, seen]);
        expect(await files.lower()).toEqual(before);
      }),
      { numRuns: runs },
    );
  });

  test('changes a union as a run does, one change at a time', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(changeStep, { maxLength: 8 }), async (steps) => {
        const shelf = { '/a/a': 'shelf', '/b': 'shelf' };
        const [one, other] = [
          await unionFixture(shelf, { '/a/b': 'books' }),
          await unionFixture(shelf, { '/a/b': 'books' }),
        ];
        const [client, run] = [await one.open(false), await other.open(true)];
        for (const each of steps) {
          await tryChange(client, each, 'x');
          await tryChange(run, each, 'x');
        }
        expect(await client.all()).toEqual(await run.all());
      }),
      { numRuns: runs },
    );
  });

  test('meets a conflict with what others have changed in the union', async () => {
    const files = await unionFixture({ '/a': 'shelf' }, {});
    const [client, run] = [await files.open(false), await files.open(true)];
    await run.put('/workspace/a', 'by the run');
    await client.put('/workspace/a', 'by the client');
    expect(await run.commit()).toMatchObject({ result: 'CONFLICT', conflicts: ['/workspace/a'] });
    expect(await client.text('/workspace/a')).toBe('by the client');
  });
}
