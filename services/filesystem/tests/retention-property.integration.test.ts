import { mysqlServerUrl } from '@spanwise/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { folderBlobs, withBlobsIn } from './blobs-fixture.ts';
import { type LayersFixture, layersFixture, type OpenedView } from './layers-fixture.ts';
import { allCounted, minuteMs, miscounted, openedRun, retained } from './retention-fixture.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

describe('on SQLite', () => suite(sqliteDatabase, 150));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase, 15));
describe('on SQLite, content in a folder', () => suite(() => withBlobsIn(folderBlobs, sqliteDatabase), 15));

const name = fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd/e/a');
const text = fc.constantFrom('1', '2', '3');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('put' as const), name, text }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('remove' as const), name: fc.oneof(name, fc.constant('d')) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('move' as const), name, to: name }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('open' as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('run put' as const), run: fc.nat(9), name, text }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('end' as const), run: fc.nat(9), how: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('prune' as const), keep: fc.nat(2) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface OpenRun {
  readonly view: OpenedView;
  /** What it must see until it changes something itself. */
  seen: Record<string, string | null>;
}

function suite(openDatabase: () => Promise<TestDatabase>, numRuns: number) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('pruning never changes what a run that goes on sees, and miscounts no use of a blob', { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const files = await layersFixture(database);
        const runs: OpenRun[] = [];
        const client = await files.open(false);
        for (const each of steps) {
          await take(each, { files, client, runs });
        }
        for (const { view } of runs) {
          await view.rollBack();
        }
        await files.tree.erase(VirtualPath.root);
        expect(await miscounted(database.first)).toEqual(allCounted);
        for (const table of ['fs_nodes', 'fs_versions']) {
          const rows = await database.first.sql.all(`select path from ${table} where disk = ?`, [files.disk]);
          expect(rows).toEqual([]);
        }
        expect(await database.first.sql.all('select hash from fs_blobs', [])).toEqual([]);
      }),
      { numRuns, endOnFailure: true },
    ),
  );

  interface World {
    readonly files: LayersFixture;
    readonly client: OpenedView;
    readonly runs: OpenRun[];
  }

  async function take(each: Step, { files, client, runs }: World): Promise<void> {
    switch (each.does) {
      case 'put':
        return ifPossible(client.put(`/workspace/${each.name}`, each.text));
      case 'remove':
        return ifPossible(client.remove(`/workspace/${each.name}`));
      case 'move':
        return ifPossible(client.move(`/workspace/${each.name}`, `/workspace/${each.to}`));
      case 'open': {
        const view = await openedRun(database.first, files);
        runs.push({ view, seen: await view.all() });
        return;
      }
      case 'run put': {
        const run = runs[each.run % Math.max(runs.length, 1)];
        await ifPossible(run?.view.put(`/workspace/${each.name}`, each.text));
        if (run !== undefined) {
          run.seen = await run.view.all();
        }
        return;
      }
      case 'end': {
        const [run] = runs.splice(each.run % Math.max(runs.length, 1), 1);
        await (each.how === 0 ? run?.view.commit(true) : run?.view.rollBack());
        return;
      }
      case 'prune': {
        const tree = Object.assign(files.tree, { versionLimits: { keep: each.keep, days: 1 } });
        await retained([database.first], new Map([[files.disk, tree]]), { aheadMs: 60 * minuteMs });
        const found = await Promise.all(runs.map(({ view }) => view.all()));
        expect(found).toEqual(runs.map(({ seen }) => seen));
        expect(await miscounted(database.first)).toEqual(allCounted);
      }
    }
  }
}

/** What the tree refuses is no step. */
async function ifPossible(work: Promise<unknown> | undefined): Promise<void> {
  await work?.catch((error: unknown) => {
    expect(error).toHaveProperty('reason');
  });
}
