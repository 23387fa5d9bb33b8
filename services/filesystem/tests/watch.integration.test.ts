import { randomIds } from '@spanwise/kernel';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, openView, type ServiceFixture, serviceFixture } from './service-fixture.ts';
import { listing, until, watch } from './watch-fixture.ts';

const ids = randomIds();

describe('on SQLite', () => suite(async () => ({ url: undefined, drop: async () => undefined }), 6));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysql, 4));

async function mysql() {
  const fresh = await freshDatabase(mysqlServerUrl ?? '');
  return { url: fresh.url, drop: async () => fresh[Symbol.asyncDispose]() };
}

function suite(open: () => Promise<{ url: string | undefined; drop: () => Promise<void> }>, runs: number) {
  let database: Awaited<ReturnType<typeof open>>;
  let [here, there]: ServiceFixture[] = [];
  beforeAll(async () => {
    database = await open();
    here = await serviceFixture(database.url);
    there = await here.replica();
  });
  afterAll(async () => {
    await there?.[Symbol.asyncDispose]();
    await here?.[Symbol.asyncDispose]();
    await database.drop();
  });

  /** A session of Ada's: a view at each replica, and a watcher at the other one than that which writes. */
  async function begun(path = '/workspace') {
    if (here === undefined || there === undefined) {
      throw new TypeError('not started');
    }
    const view = await openView(here.as('ada'));
    const remote = there.as('ada');
    return { ...view, remote, watcher: await watch(remote, view.viewId, path) };
  }

  test('tells what another replica writes, within 2 s', async () => {
    const { put, client, viewId, watcher } = await begun();
    await put('/workspace/d/a.txt', 'a');
    expect(await until(() => watcher.told().length >= 2)).toBeLessThan(2000);
    await put('/workspace/d/a.txt', 'b');
    await until(() => watcher.told().length >= 3);
    await client.delete({ viewId, path: '/workspace/d', recursive: true });
    await until(() => watcher.told().length >= 4);
    expect(watcher.messages).toEqual([
      ['ADDED /workspace/d', 'ADDED /workspace/d/a.txt'],
      ['MODIFIED /workspace/d/a.txt'],
      ['DELETED /workspace/d'],
    ]);
    await watcher.stop();
  });

  test('tells what this process writes at once, of all kinds of disks', async () => {
    const { put, client, viewId, watcher } = await begun();
    await watcher.stop();
    for (const mount of ['/workspace', '/files', '/notes']) {
      const local = await watch(client, viewId, mount);
      await put(`${mount}/d/a.txt`, 'a');
      expect(await until(() => local.told().length >= 2)).toBeLessThan(900);
      await client.move({ viewId, fromPath: `${mount}/d`, toPath: `${mount}/e` });
      await until(() => local.told().length >= 5);
      await client.delete({ viewId, path: `${mount}/e`, recursive: true });
      await until(() => local.told().length >= 6);
      expect(local.told()).toEqual([
        `ADDED ${mount}/d`,
        `ADDED ${mount}/d/a.txt`,
        `DELETED ${mount}/d`,
        `ADDED ${mount}/e`,
        `ADDED ${mount}/e/a.txt`,
        `DELETED ${mount}/e`,
      ]);
      await local.stop();
    }
  });

  test('tells only what lies in the watched directory, with the etags that Stat tells', async () => {
    const { put, watcher, viewId, client } = await begun();
    await put('/workspace/in/a.txt', 'a');
    await watcher.stop();
    const inner = await watch(client, viewId, '/workspace/in');
    const before = await listing(client, viewId, '/workspace/in');
    await put('/workspace/in.txt', 'beside it');
    await put('/workspace/in/a.txt', 'b');
    await until(() => inner.told().length >= 1);
    expect(inner.told()).toEqual(['MODIFIED /workspace/in/a.txt']);
    expect(inner.follow(before)).toEqual(await listing(client, viewId, '/workspace/in'));
    await client.delete({ viewId, path: '/workspace/in', recursive: true });
    await until(() => inner.told().length >= 2);
    expect(inner.told().slice(1)).toEqual(['DELETED /workspace/in/a.txt']);
    await inner.stop();
  });

  test('tells a move of a directory with 1,000 files as a whole', async () => {
    const { sessionId, remote, client, watcher, viewId } = await begun();
    await watcher.stop();
    const run = ids.uuid();
    await client.openView({ viewId: run, sessionId, runLayer: true });
    for (let batch = 0; batch < 1000; batch += 50) {
      const numbers = Array.from({ length: 50 }, (_, index) => batch + index);
      for (const number of numbers) {
        const data = new TextEncoder().encode(`${number}`);
        await client.write({ viewId: run, path: `/workspace/many/${number}.txt`, data, epoch: 1n });
      }
    }
    await client.commitRun({ viewId: run, epoch: 1n });
    const big = await watch(remote, viewId);
    await client.move({ viewId, fromPath: '/workspace/many', toPath: '/workspace/moved' });
    await client.write({ viewId, path: '/workspace/last.txt', data: new Uint8Array() });
    await until(() => big.told().includes('ADDED /workspace/last.txt'));
    const told = big.told();
    expect(told.filter((each) => each.startsWith('ADDED /workspace/moved'))).toHaveLength(1001);
    expect(told.filter((each) => each.startsWith('DELETED'))).toEqual(['DELETED /workspace/many']);
    // The move is told before the write, or both together.
    const ofMove = big.messages.flatMap((message, index) =>
      message.some((each) => !each.includes('last.txt')) ? [index] : [],
    );
    expect(ofMove).toEqual(ofMove.map((_, index) => index));
    await big.stop();
  }, 60_000);

  test('tells the whole of a published run in one message, and to its own view what is then there', async () => {
    const { put, client, remote, sessionId, watcher } = await begun();
    await put('/workspace/old/a.txt', 'a');
    await put('/workspace/kept.txt', 'k');
    const run = ids.uuid();
    await client.openView({ viewId: run, sessionId, runLayer: true });
    const own = await watch(remote, run, '/workspace');
    const before = await listing(remote, run, '/workspace');
    const write = (path: string, text: string) =>
      client.write({ viewId: run, path, data: new TextEncoder().encode(text), epoch: 1n });
    await write('/workspace/new/n.txt', 'n');
    await until(() => own.told().length >= 2);
    await write('/workspace/kept.txt', 'k2');
    await client.delete({ viewId: run, path: '/workspace/old', recursive: true, epoch: 1n });
    await until(() => own.told().length >= 4);
    expect(own.told().toSorted()).toEqual([
      'ADDED /workspace/new',
      'ADDED /workspace/new/n.txt',
      'DELETED /workspace/old',
      'MODIFIED /workspace/kept.txt',
    ]);
    expect(own.follow(before)).toEqual(await listing(remote, run, '/workspace'));
    // Others' changes are seen by the run once it is over.
    await put('/workspace/other.txt', 'o');
    await until(() => watcher.told().includes('ADDED /workspace/other.txt'));
    expect(own.told()).toHaveLength(4);
    const count = watcher.messages.length;
    await client.commitRun({ viewId: run, epoch: 1n });
    await until(() => watcher.messages.length > count && own.told().length > 4);
    expect(watcher.messages.slice(count)).toEqual([
      ['MODIFIED /workspace/kept.txt', 'ADDED /workspace/new', 'ADDED /workspace/new/n.txt', 'DELETED /workspace/old'],
    ]);
    expect(own.told().slice(4)).toEqual(['ADDED /workspace/other.txt']);
    await put('/workspace/after.txt', 'x');
    await until(() => own.told().includes('ADDED /workspace/after.txt'));
    expect(own.follow(before)).toEqual(await listing(remote, run, '/workspace'));
    await Promise.all([own.stop(), watcher.stop()]);
  });

  test('tells what a run publishes to disks that number no changes, and its own view nothing more', async () => {
    const { client, viewId, sessionId, watcher } = await begun();
    const run = ids.uuid();
    await client.openView({ viewId: run, sessionId, runLayer: true });
    const [own, other] = [await watch(client, run), await watch(client, viewId)];
    const files = ['/files', '/notes', '/workspace'].map((mount) => `${mount}/${ids.uuid()}.txt`);
    for (const path of files) {
      await client.write({ viewId: run, path, data: new Uint8Array([1]), epoch: 1n });
    }
    await until(() => own.told().length >= 3);
    expect(other.told().filter((each) => !each.includes('/shelf/'))).toEqual([]);
    await client.commitRun({ viewId: run, epoch: 1n });
    const added = files.map((path) => `ADDED ${path}`);
    const told = (by: typeof own) =>
      by
        .told()
        .filter((each) => !each.includes('/shelf/'))
        .toSorted();
    await until(() => told(other).length >= 3);
    await client.write({ viewId, path: '/workspace/last.txt', data: new Uint8Array() });
    const all = [...added, 'ADDED /workspace/last.txt'].toSorted();
    await until(() => told(own).includes('ADDED /workspace/last.txt'));
    await until(() => told(other).includes('ADDED /workspace/last.txt'));
    expect([told(own), told(other)]).toEqual([all, all]);
    await Promise.all([own.stop(), other.stop(), watcher.stop()]);
  });

  test('tells the view of a run that is taken back that what it had is gone', async () => {
    const { put, client, remote, sessionId, watcher } = await begun();
    await put('/workspace/d/a.txt', 'a');
    const run = ids.uuid();
    await client.openView({ viewId: run, sessionId, runLayer: true });
    const own = await watch(remote, run);
    const before = await listing(remote, run, '/workspace');
    await client.delete({ viewId: run, path: '/workspace/d', recursive: true, epoch: 1n });
    const data = new Uint8Array([1]);
    await client.write({ viewId: run, path: '/workspace/n.txt', data, epoch: 1n });
    await until(() => own.told().length >= 2);
    await client.rollbackRun({ viewId: run, epoch: 1n });
    await until(() => own.told().length >= 5);
    expect(own.told().slice(2)).toEqual(['ADDED /workspace/d', 'ADDED /workspace/d/a.txt', 'DELETED /workspace/n.txt']);
    expect(own.follow(before)).toEqual(before);
    await Promise.all([own.stop(), watcher.stop()]);
  });

  test('who applies what is told to a listing taken after the first message ends up with the listing at the end', async () => {
    const name = fc.constantFrom('a', 'b', 'c.txt');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/workspace/${names.join('/')}`);
    const step = fc.oneof(
      fc.record({ does: fc.constant('put' as const), path, to: path }),
      fc.record({ does: fc.constantFrom('delete' as const, 'move' as const), path, to: path }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 40 }),
        fc.integer({ min: 0, max: 20 }),
        async (steps, when) => {
          const { put, client, viewId, remote, watcher } = await begun();
          let listed = new Map<string, string>();
          for (const [number, { does, path: at, to }] of steps.entries()) {
            const works = {
              put: () => put(at, `${number}`),
              delete: () => client.delete({ viewId, path: at, recursive: true }),
              move: () => client.move({ viewId, fromPath: at, toPath: to }),
            };
            await works[does]().catch(() => undefined);
            if (number === Math.min(when, steps.length - 1)) {
              listed = await listing(remote, viewId, '/workspace');
            }
          }
          await put('/workspace/end', 'end');
          await until(() => watcher.told().includes('ADDED /workspace/end'));
          const followed = Object.fromEntries(watcher.follow(listed));
          expect(followed).toEqual(Object.fromEntries(await listing(client, viewId, '/workspace')));
          await watcher.stop();
        },
      ),
      { numRuns: runs },
    );
  }, 120_000);

  test('is refused for another user, for what is not there, and beyond 16 streams of a session', async () => {
    const { client, viewId, watcher } = await begun();
    const stranger = here?.as('bob') ?? client;
    const asked = (by: typeof client, path: string) => failure(watch(by, viewId, path));
    expect(await asked(stranger, '')).toMatchObject({ reason: 'VIEW_NOT_FOUND' });
    expect(await asked(client, '/workspace/nothing')).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    const all = await Promise.all(Array.from({ length: 16 }, () => watch(client, viewId)));
    expect(await asked(client, '')).toMatchObject({ reason: 'TOO_MANY_STREAMS', facts: { limit: '16' } });
    await Promise.all(all.map((each) => each.stop()));
    let again: Awaited<ReturnType<typeof watch>> | undefined;
    await until(async () => {
      again = await watch(client, viewId).catch(() => undefined);
      return again !== undefined;
    });
    await Promise.all([again?.stop(), watcher.stop()]);
  });
}

test('ends when the service shuts down', async () => {
  const service = await serviceFixture();
  const { viewId, client } = await openView(service.as('ada'));
  const watcher = await watch(client, viewId);
  await service[Symbol.asyncDispose]();
  expect(await watcher.ended).toMatch(/SHUTTING_DOWN|SERVICE_UNAVAILABLE/);
});

test('tells nothing of what the user may not read', async () => {
  const access = `
access:
  grants:
    - {effect: deny, operations: [read, list], paths: ["/workspace/hidden"]}
`;
  await using service = await serviceFixture(undefined, access);
  const { put, viewId, client } = await openView(service.as('ada'));
  const watcher = await watch(client, viewId);
  await put('/workspace/hidden/a.txt', 'a');
  await put('/workspace/seen.txt', 'b');
  await until(() => watcher.told().length > 0);
  expect(watcher.told()).toEqual(['ADDED /workspace/seen.txt']);
  expect(await failure(watch(client, viewId, '/workspace/hidden'))).toMatchObject({ reason: 'NOT_GRANTED' });
  await watcher.stop();
});
