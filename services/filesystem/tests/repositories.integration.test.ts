import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutputLog } from '../src/domain/output/output-log.ts';
import { compareNames } from '../src/domain/path/name-order.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { SessionView } from '../src/domain/view/session-view.ts';
import type { ViewRepository } from '../src/domain/view/view-repository.ts';
import { InMemoryOutputLog } from '../src/infrastructure/persistence/in-memory-output-log.ts';
import { InMemoryViewRepository } from '../src/infrastructure/persistence/in-memory-view-repository.ts';
import { MikroOrmViewRepository } from '../src/infrastructure/persistence/mikro-orm-view-repository.ts';
import { SqlOutputLog } from '../src/infrastructure/persistence/sql-output-log.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

const at = (text: string) => VirtualPath.parse(text);
const run = (number: number) => brandId<RunId>(`00000000-0000-7000-8000-${String(number).padStart(12, '0')}`);

const sourceOf = (disk: string, remote: string, priority = 0) => ({
  ...{ disk, remote: at(remote), priority },
  isOptional: priority === 10,
});

const usualSession = brandId<SessionId>('00000000-0000-7000-8000-0000000000b1');

function viewOf(id: RunId, uid = 'ada', sessionId = usualSession): SessionView {
  return new SessionView({
    id,
    uid: brandId<Uid>(uid),
    sessionId,
    mounts: [
      { path: at('/workspace'), sources: [sourceOf('w', '/ädä/%2e')], isReadOnly: false, isOutput: true },
      { path: at('/'), sources: [sourceOf('l', '/', 20), sourceOf('m', '/x', 10)], isReadOnly: true, isOutput: false },
    ],
    createTimeMs: 1_800_000_000_123,
  });
}

interface Repositories {
  readonly views: ViewRepository;
  readonly outputs: OutputLog;
  /** The same as another replica has them. */
  readonly otherViews: ViewRepository;
  readonly otherOutputs: OutputLog;
}

function contract(open: () => Promise<Repositories>): void {
  let under: Repositories;
  beforeAll(async () => {
    under = await open();
  });

  test('keeps views for all replicas', async () => {
    const view = viewOf(run(1));
    expect(await under.views.find(view.id)).toBeUndefined();
    expect(await under.views.addIfAbsent(view)).toEqual(view);
    expect(await under.views.find(view.id)).toEqual(view);
    expect(await under.otherViews.find(view.id)).toEqual(view);
  });

  test('keeps the first of views with the same id', async () => {
    const first = await under.views.addIfAbsent(viewOf(run(2), 'first'));
    expect(await under.otherViews.addIfAbsent(viewOf(run(2), 'second'))).toEqual(first);
    const racing = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? under.views : under.otherViews).addIfAbsent(viewOf(run(3), `user ${index}`)),
      ),
    );
    expect(new Set(racing.map(({ uid }) => uid)).size).toBe(1);
  });

  test('does not find a view by anything but its exact id', async () => {
    const id = brandId<RunId>('00000000-0000-7000-8000-00000000abcd');
    await under.views.addIfAbsent(viewOf(id));
    const tries = [id.toUpperCase(), `${id} `, `${id}\u0000`, '%', "' or 1=1 -- ", '', 'x'.repeat(10_000)];
    expect(await Promise.all(tries.map((each) => under.views.find(each)))).toEqual(tries.map(() => undefined));
  });

  test('knows the views of a session until they are deleted', async () => {
    const sessionId = brandId<SessionId>('00000000-0000-7000-8000-0000000000b2');
    const ofSession = [8, 9, 10].map((number) => viewOf(run(number), 'ada', sessionId));
    await Promise.all(ofSession.map((view) => under.views.addIfAbsent(view)));
    const found = await under.otherViews.ofSession(sessionId);
    expect(found.toSorted((left, right) => compareNames(left.id, right.id))).toEqual(ofSession);
    await under.views.delete([run(8), run(10), run(10)]);
    await under.views.delete([]);
    expect(await under.otherViews.ofSession(sessionId)).toEqual([ofSession[1]]);
    expect(await under.views.find(run(8))).toBeUndefined();
    expect(await under.views.find(run(9))).toEqual(ofSession[1]);
  });

  test('forgets the outputs of views, and of no others', async () => {
    await Promise.all([8, 9, 10].map((number) => under.outputs.add(run(number), ['/a', '/a/b'].map(at))));
    await under.otherOutputs.forgetViews([run(8), run(10)]);
    const left = await Promise.all(
      [8, 9, 10].map((number) => under.outputs.list(run(number), { after: '', limit: 9 })),
    );
    expect(left.map((paths) => paths.map(({ text }) => text))).toEqual([[], ['/a', '/a/b'], []]);
  });

  test('lists outputs of a view by path in byte order, each once', async () => {
    const prefix = `/${'x'.repeat(255)}/${'x'.repeat(255)}/${'ö'.repeat(127)}`;
    const texts = [
      '/b',
      '/B',
      '/a/b',
      '/a-b',
      '/a',
      '/é',
      '/\uffee',
      '/😀',
      `${prefix}b`,
      `${prefix}a`,
      `${prefix}/${'y'.repeat(255)}/1`,
    ];
    const paths = texts.map(at);
    await under.outputs.add(run(4), paths);
    await Promise.all(paths.map((path) => under.otherOutputs.add(run(4), [path])));
    await under.outputs.add(run(5), [at('/of another run')]);
    await under.outputs.add(run(4), []);
    const sorted = paths.map(({ text }) => text).toSorted(compareNames);
    for (const limit of [1, 3, 100]) {
      const found: string[] = [];
      for (;;) {
        const page = await under.outputs.list(run(4), { after: found.at(-1) ?? '', limit });
        found.push(...page.map(({ text }) => text));
        if (page.length < limit) {
          break;
        }
      }
      expect(found).toEqual(sorted);
    }
  });

  test('forgets a path and what is below it, and nothing beside it', async () => {
    await under.outputs.add(run(6), ['/d', '/d/a', '/d/a/b', '/d0', '/d-', '/d.x', '/D/a', '/e'].map(at));
    await under.outputs.forget(run(7), at('/d'));
    await under.outputs.forget(run(6), at('/d'));
    const left = await under.otherOutputs.list(run(6), { after: '', limit: 100 });
    expect(left.map(({ text }) => text)).toEqual(['/D/a', '/d-', '/d.x', '/d0', '/e']);
  });
}

function databaseSuite(openDatabase: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  contract(async () => ({
    views: new MikroOrmViewRepository({ database: database.first }),
    outputs: new SqlOutputLog({ database: database.first.sql }),
    otherViews: new MikroOrmViewRepository({ database: database.second }),
    otherOutputs: new SqlOutputLog({ database: database.second.sql }),
  }));
}

describe('in memory', () =>
  contract(async () => {
    const views = new InMemoryViewRepository();
    const outputs = new InMemoryOutputLog();
    return { views, outputs, otherViews: views, otherOutputs: outputs };
  }));
describe('SQLite', () => databaseSuite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => databaseSuite(mysqlDatabase));
