import { randomIds, systemClock } from '@spanwise/kernel';
import type { Database } from '@spanwise/persistence';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SessionStreams } from '../src/application/session-streams.ts';
import { Watch, type WatchDeps } from '../src/application/watch.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import type { MountTemplate } from '../src/domain/view/mount-template.ts';
import type { PathChange } from '../src/domain/watching/path-difference.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { ChangeHub } from '../src/infrastructure/watching/change-hub.ts';
import { SqlTreeHistory } from '../src/infrastructure/watching/sql-tree-history.ts';
import { ada, failureOf, mount, never } from './files-fixture.ts';
import { type LayersOptions, layersFixture, type OpenedView } from './layers-fixture.ts';
import { sqliteDatabase, type TestDatabase } from './stores-under-test.ts';
import { until } from './watch-fixture.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await sqliteDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** The same database; `asked` counts what was read. */
function counted(sql: Database) {
  const count = { asked: 0 };
  const all: Database['all'] = (statement, parameters) => {
    count.asked += 1;
    return sql.all(statement, parameters);
  };
  const counting: Database = {
    dialect: sql.dialect,
    run: (...args) => sql.run(...args),
    all,
    transaction: (work) => sql.transaction(work),
  };
  return { count, counting };
}

/** Watchers of another process than that which changes files: they look at the database every 20 ms. */
async function begun(options: LayersOptions = {}, limits: Partial<WatchDeps> = {}) {
  const files = await layersFixture(database, options);
  const { count, counting } = counted(database.second.sql);
  const hub = new ChangeHub({ database: counting, pollMs: 20 });
  const history = new SqlTreeHistory({ database: database.second.sql });
  const streams = new SessionStreams();
  const watch = new Watch({ views: files.views, history, feed: hub, streams, clock: systemClock, ...limits });
  const follow = (view: OpenedView, path = '/', signal: AbortSignal = never) =>
    watch.execute(ada, { viewId: view.viewId, path }, signal);
  return { ...files, count, hub, follow };
}

const briefly = (changes: readonly PathChange[] | void | undefined) =>
  (changes ?? []).map(({ path, kind }) => `${kind} ${path.text}`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('what a consumer has not read yet is told as what has come of it', async () => {
  const { open, follow } = await begun();
  const view = await open(false);
  await view.put('/workspace/a.txt', '1');
  await using messages = follow(view);
  expect(briefly((await messages.next()).value)).toEqual([]);
  await view.put('/workspace/a.txt', '2');
  await view.put('/workspace/d/b.txt', 'b');
  await view.put('/workspace/a.txt', '3');
  await view.remove('/workspace/d');
  await view.makeDirectory('/workspace/e');
  const { etag } = await view.put('/workspace/e/c.txt', 'c');
  await pause(60);
  const { value } = await messages.next();
  expect(briefly(value)).toEqual([
    'MODIFIED /workspace/a.txt',
    'DELETED /workspace/d',
    'ADDED /workspace/e',
    'ADDED /workspace/e/c.txt',
  ]);
  expect(value?.map((change) => change.etag)).toEqual([expect.any(String), '', '', etag]);
});

test('a consumer that takes nothing is ended when something waits for it, and its place is free at once', async () => {
  const { open, follow, count } = await begun({}, { slowMs: 60 });
  const view = await open(false);
  await using messages = follow(view);
  await messages.next();
  await pause(150);
  await view.put('/workspace/a.txt', '1');
  await until(async () => {
    const before = count.asked;
    await pause(60);
    return count.asked === before;
  });
  expect(await failureOf(messages.next())).toEqual({ reason: 'WATCHER_TOO_SLOW', facts: { limit: 10_000 } });
});

test('a consumer for whom more than 10,000 paths wait is ended', async () => {
  const { open, follow, hub, disk } = await begun();
  const view = await open(false);
  await using messages = follow(view);
  await messages.next();
  const paths = Array.from({ length: 10_001 }, (_, index) => VirtualPath.parse(`/${index}`));
  const node = { kind: 'file', etag: 'e' } as const;
  hub.touched(
    disk,
    paths.map((path) => ({ path, before: undefined, after: node })),
  );
  expect(await failureOf(messages.next())).toEqual({ reason: 'WATCHER_TOO_SLOW', facts: { limit: 10_000 } });
});

test('silence is told again and again, until the view is deleted', async () => {
  const { open, follow, deleteSessionData } = await begun({}, { heartbeatMs: 30 });
  const view = await open(false);
  await using messages = follow(view);
  expect([await messages.next(), await messages.next(), await messages.next()].map(({ value }) => value)).toEqual([
    [],
    [],
    [],
  ]);
  await deleteSessionData.execute(ada, view.sessionId, never);
  expect(await failureOf(messages.next())).toEqual({ reason: 'VIEW_NOT_FOUND', facts: {} });
});

test('nobody looks at the database while nobody watches', async () => {
  const { open, follow, count, hub } = await begun();
  const view = await open(false);
  hub.changed();
  await pause(60);
  expect(count.asked).toBe(0);
  const abort = new AbortController();
  const [first, second] = [follow(view, '/', abort.signal), follow(view, '/', abort.signal)];
  await Promise.all([first.next(), second.next()]);
  const asked = count.asked;
  await until(() => count.asked > asked + 2);
  // One that waits for news, and one that nobody asks for more.
  const waiting = failureOf(first.next());
  await pause(20);
  abort.abort(new RangeError('gone'));
  expect(await waiting).toEqual(new RangeError('gone'));
  await pause(30);
  const after = count.asked;
  await pause(100);
  expect(count.asked).toBe(after);
  await second.return();
});

test('in a union only what is seen is told, and what comes to be seen', async () => {
  const low = `low-${randomIds().uuid()}`;
  const lower = new TreeDisk({ name: low, database: database.first.sql, clock: systemClock, ids: randomIds() });
  const source = (disk: string, priority: number) => ({ disk, remote: '/', priority, isOptional: false });
  const union: MountTemplate = {
    ...mount('/both'),
    sources: [source('work', 20), source(low, 10)],
    isReadOnly: true,
  };
  const disks = new Map([[low, lower]]);
  const mounts = [union, mount('/top'), mount('/low', { disk: low })];
  const { open, follow } = await begun({ disks, mounts });
  const view = await open(false);
  await view.put('/low/d/a.txt', 'low');
  await view.put('/low/b.txt', 'low');
  await using messages = follow(view, '/both');
  await messages.next();
  const told = async () => briefly((await messages.next()).value);
  await view.put('/top/b.txt', 'top');
  expect(await told()).toEqual(['MODIFIED /both/b.txt']);
  // What is hidden is not told: the next that is told is something else.
  await view.put('/low/b.txt', 'hidden');
  await pause(60);
  await view.put('/low/c.txt', 'seen');
  expect(await told()).toEqual(['ADDED /both/c.txt']);
  await view.put('/top/d', 'a file over a directory');
  expect(await told()).toEqual(['DELETED /both/d', 'ADDED /both/d']);
  await view.remove('/top/d');
  expect(await told()).toEqual(['DELETED /both/d', 'ADDED /both/d', 'ADDED /both/d/a.txt']);
  await view.remove('/top/b.txt');
  expect(await told()).toEqual(['MODIFIED /both/b.txt']);
});
