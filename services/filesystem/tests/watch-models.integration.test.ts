import { randomIds, systemClock } from '@spanwise/kernel';
import { mysqlServerUrl } from '@spanwise/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SessionStreams } from '../src/application/session-streams.ts';
import { Watch } from '../src/application/watch.ts';
import type { MountTemplate } from '../src/domain/view/mount-template.ts';
import type { PathChange } from '../src/domain/watching/path-difference.ts';
import { TreeDisk } from '../src/infrastructure/disks/tree/tree-disk.ts';
import { ChangeHub } from '../src/infrastructure/watching/change-hub.ts';
import { SqlTreeHistory } from '../src/infrastructure/watching/sql-tree-history.ts';
import { ada, mount, never } from './files-fixture.ts';
import { type LayersFixture, layersFixture, type OpenedView } from './layers-fixture.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';
import { until } from './watch-fixture.ts';

describe('on SQLite', () => suite(sqliteDatabase, 60));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase, 8));

const name = fc.constantFrom('a', 'b', 'c.txt');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/workspace/${names.join('/')}`);
const step = fc.record({
  by: fc.constantFrom('run', 'run', 'run', 'client', 'below'),
  does: fc.constantFrom('put', 'put', 'put', 'remove', 'move', 'makeDirectory'),
  path,
  to: path,
});

function suite(open: () => Promise<TestDatabase>, runs: number) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  /** A workspace that is a union of two tree disks; the lower one is also seen by itself. */
  async function begun() {
    const low = `low-${randomIds().uuid()}`;
    const lower = new TreeDisk({ name: low, database: database.first.sql, clock: systemClock, ids: randomIds() });
    const source = (disk: string, priority: number) => ({ disk, remote: '/', priority, isOptional: false });
    const workspace: MountTemplate = { ...mount('/workspace'), sources: [source('work', 20), source(low, 10)] };
    const mounts = [workspace, mount('/low', { disk: low })];
    const files = await layersFixture(database, { mounts, disks: new Map([[low, lower]]) });
    const hub = new ChangeHub({ database: database.second.sql, pollMs: 10 });
    const history = new SqlTreeHistory({ database: database.second.sql });
    const streams = new SessionStreams();
    const watch = new Watch({ views: files.views, history, feed: hub, streams, clock: systemClock });
    return { files, watch };
  }

  test('who applies what is told of a union or of a run ends up with what is there, also when the run is over', async () => {
    const end = fc.constantFrom('commit' as const, 'rollBack' as const);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.nat(10), end, async (steps, begin, ends) => {
        const { files, watch } = await begun();
        const client = await files.open(false);
        const make = (some: typeof steps, views: Record<string, OpenedView>) => makeAll(some, views);
        await make(steps.slice(0, begin), { run: client, client, below: client });
        const run = await files.open(true);
        const followers = await Promise.all([client, run].map((view) => followerOf(files, watch, view)));
        await make(steps.slice(begin), { run, client, below: client });
        await sameAsShown(followers);
        await run[ends]();
        await client.put('/workspace/end.txt', 'end');
        await sameAsShown(followers);
        await Promise.all(followers.map((each) => each.stop()));
      }),
      { numRuns: runs },
    );
  }, 120_000);
}

async function makeAll(
  steps: readonly { by: string; does: string; path: string; to: string }[],
  views: Record<string, OpenedView>,
): Promise<void> {
  for (const [number, { by, does, path: at, to }] of steps.entries()) {
    const view = views[by];
    const own = (text: string) => (by === 'below' ? text.replace('/workspace', '/low') : text);
    const works: Record<string, () => Promise<unknown> | undefined> = {
      put: () => view?.put(own(at), `${number}`),
      remove: () => view?.remove(own(at)),
      move: () => view?.move(own(at), own(to)),
      makeDirectory: () => view?.makeDirectory(own(at)),
    };
    // Steps that are refused change nothing.
    await works[does]?.()?.catch(() => undefined);
  }
}

/** Applies what is told to what the view has shown after the first message. */
async function followerOf(files: LayersFixture, watch: Watch, view: OpenedView) {
  const abort = new AbortController();
  const messages = watch.execute(ada, { viewId: view.viewId, path: '/workspace' }, abort.signal);
  await messages.next();
  const known = await shown(files, view, '/workspace');
  const reading = (async () => {
    for await (const changes of messages) {
      changes.forEach((change) => apply(known, change));
    }
  })().catch(() => undefined);
  return {
    known,
    shown: () => shown(files, view, '/workspace'),
    async stop() {
      abort.abort();
      await reading;
    },
  };
}

type Follower = Awaited<ReturnType<typeof followerOf>>;

async function sameAsShown(followers: readonly Follower[]): Promise<void> {
  for (const { known, shown: current } of followers) {
    const expected = Object.fromEntries(await current());
    const isSame = () => JSON.stringify(sorted(known)) === JSON.stringify(sorted(new Map(Object.entries(expected))));
    await until(isSame).catch(() => undefined);
    expect(Object.fromEntries(known)).toEqual(expected);
  }
}

function sorted(tree: ReadonlyMap<string, string>): [string, string][] {
  return [...tree].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function apply(tree: Map<string, string>, { path: at, kind, etag }: PathChange): void {
  if (kind === 'DELETED') {
    [...tree.keys()]
      .filter((each) => each === at.text || each.startsWith(`${at.text}/`))
      .forEach((each) => tree.delete(each));
  } else {
    tree.set(at.text, etag);
  }
}

async function shown(files: LayersFixture, view: OpenedView, top: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const request = { viewId: view.viewId, path: top, pageSize: 1000, pageToken: '' };
  for (const { path: at, node } of (await files.list.execute(ada, request, never)).entries) {
    found.set(at.text, node.kind === 'file' ? node.etag : '');
    if (node.kind === 'directory') {
      (await shown(files, view, at.text)).forEach((etag, each) => found.set(each, etag));
    }
  }
  return found;
}
