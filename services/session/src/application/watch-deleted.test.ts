import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InProcessPeers } from '../../tests/doubles/peers.ts';
import { replaced } from '../../tests/doubles/replaced.ts';
import { driver, replicaOf } from '../../tests/doubles/replica.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { alice, inMemoryWorld, options, settled, startedRun, type World } from '../../tests/doubles/world.ts';
import { RemoteTails } from './remote-tails.ts';
import { startWatchPolls } from './watch-polls.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await settled();
    vi.advanceTimersByTime(100);
  }
  await settled();
}

const beginning = ['1 runStart', '2 spanStart', '3 message', 'caught up at 3'];
const gone = { kind: 'not-found', reason: 'SESSION_NOT_FOUND' };

/** A run that is watched where it is driven, and at another replica. */
async function watchedRun() {
  const resources = new AsyncDisposableStack();
  const world = inMemoryWorld();
  const peers = new InProcessPeers();
  peers.hubs.set(driver.address, world.hub);
  const { hub, instances } = world;
  const onError = () => undefined;
  const tails = resources.use(new RemoteTails({ hub, peers, ownId: () => driver.id, onError }));
  resources.use(startWatchPolls({ hub, instances, tails, logPollMs: 1000, onError }));
  const replica = resources.use(replicaOf(world, peers));
  const started = await startedRun(world);
  const { sessionId } = started;
  replica.instances.owners.set(sessionId, driver);
  const request = { caller: alice, sessionId, afterSeq: 0, runId: undefined, live: true };
  const watchers = [
    new Watcher((signal) => world.watchSession.execute(request, signal)),
    replica.watch(sessionId),
  ] as const;
  await pass(1000);
  return { ...started, world, replica, watchers, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

const deleted = (world: World, sessionId: Parameters<World['manageSessions']['delete']>[1]) =>
  world.manageSessions.delete(alice, sessionId, true);

describe('a session that is deleted while it is watched', () => {
  test('and nothing is driven ends its streams everywhere within a second', async () => {
    await using watched = await watchedRun();
    const { world, watchers, executor, sessionId } = watched;
    executor.finish();
    await pass(1000);
    await deleted(world, sessionId);
    await pass(1100);
    for (const watcher of watchers) {
      await expect(watcher.ended).rejects.toMatchObject(gone);
      expect(watcher.told).toEqual([...beginning, '4 spanEnd', '5 runEnd']);
    }
    expect([world.hub, watched.replica.hub].map((hub) => hub.watchedElsewhere())).toEqual([[], []]);
  });

  test('with its run tells the end of that first', async () => {
    await using watched = await watchedRun();
    const { world, watchers, executor, sessionId } = watched;
    await deleted(world, sessionId);
    await pass(1500);
    expect(watchers.map(({ told }) => told)).toEqual([beginning, beginning]);
    executor.finish({ kind: 'aborted' });
    await pass(2100);
    for (const watcher of watchers) {
      await expect(watcher.ended).rejects.toMatchObject(gone);
      expect(watcher.told).toEqual([...beginning, '4 spanEnd', '5 runEnd']);
    }
  });

  test('tells the end of its run also where what the driver shows comes late', async () => {
    await using watched = await watchedRun();
    const { world, executor, sessionId } = watched;
    const peers = replaced(new InProcessPeers(), {
      async *tail(_address, _sessionId, signal) {
        yield { kind: 'position', lastSeq: 3, tails: [] } as const;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
    await using late = replicaOf(world, peers);
    late.instances.owners.set(sessionId, driver);
    const watcher = late.watch(sessionId);
    await pass(1500);
    expect(late.tails.isOpen(sessionId)).toBe(true);
    await deleted(world, sessionId);
    executor.finish({ kind: 'aborted' });
    await pass(2100);
    await expect(watcher.ended).rejects.toMatchObject(gone);
    expect(watcher.told).toEqual([...beginning, '4 spanEnd', '5 runEnd']);
    await Promise.allSettled(watched.watchers.map(({ ended }) => ended));
  });

  test('and purged at once ends them as well', async () => {
    await using watched = await watchedRun();
    const { world, watchers, executor, sessionId } = watched;
    executor.finish();
    await pass(1000);
    world.store.sessions.delete(sessionId);
    await pass(1100);
    for (const watcher of watchers) {
      await expect(watcher.ended).rejects.toMatchObject(gone);
    }
  });

  test('ends the stream of its run with the end of the run', async () => {
    await using watched = await watchedRun();
    const { world, executor, sessionId, run } = watched;
    const asked = { options, requestId: run.requestId, busyPolicy: 'reject', input: [['hello']] } as const;
    const request = { caller: alice, sessionId, ...asked, afterSeq: 0, live: true, cancelsOnDisconnect: false };
    const stream = new Watcher((signal) => world.runSession.execute(request, { signal, isLeftByClient: () => false }));
    await stream.begun;
    await settled();
    await deleted(world, sessionId);
    await pass(1500);
    executor.finish({ kind: 'aborted' });
    await pass(1500);
    expect(await stream.ended).toBe('ended');
    expect(stream.told.at(-1)).toBe('5 runEnd');
    await Promise.allSettled(watched.watchers.map(({ ended }) => ended));
  });
});
