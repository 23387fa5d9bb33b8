import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InProcessPeers } from '../../tests/doubles/peers.ts';
import { driver, replicaOf } from '../../tests/doubles/replica.ts';
import { attempt, textDelta, textEnd, textStart } from '../../tests/doubles/said.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import { claimSilently, inMemoryWorld, openSession, rowsOf, settled, startedRun } from '../../tests/doubles/world.ts';
import type { AgentEvent } from '../domain/event/agent-event.ts';
import { SessionHub } from './session-hub.ts';

const beginning = ['1 runStart', '2 spanStart', '3 message'];

/** A run that is driven by one replica and watched at another one. */
async function watchedElsewhere() {
  const world = inMemoryWorld();
  const peers = new InProcessPeers();
  peers.hubs.set(driver.address, world.hub);
  const replica = replicaOf(world, peers);
  const started = await startedRun(world);
  replica.instances.owners.set(started.sessionId, driver);
  return { world, peers, replica, ...started };
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await settled();
    vi.advanceTimersByTime(100);
  }
  await settled();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a session that is driven on another replica', () => {
  test('is shown delta by delta, from the text on that is not stored', async () => {
    const { replica, executor, sessionId, peers } = await watchedElsewhere();
    const watcher = replica.watch(sessionId);
    executor.say(textStart('b'), textDelta('b', 0, 'a'), textDelta('b', 1, 'b'));
    await settled();
    expect(watcher.told).toEqual([...beginning, 'caught up at 3']);
    // The chunk is stored after 250 ms; what comes after that is not.
    await pass(900);
    executor.say(textDelta('b', 2, 'c'));
    await pass(100);
    executor.say(textDelta('b', 3, 'd'), textDelta('b', 4, 'e'));
    await settled();
    expect(watcher.told.slice(4)).toEqual([
      ...['4 textStart', '5 textDelta b+0 ab', 'live textDelta b+2 c', 'live textDelta b+3 d', 'live textDelta b+4 e'],
    ]);
    executor.finish();
    await settled();
    expect(watcher.told.slice(9)).toEqual([
      '6 textDelta b+2 (3)',
      '7 textEnd',
      '8 messageAbandoned',
      '9 spanEnd',
      '10 runEnd',
    ]);
    expect(peers.open).toBe(0);
    expect(replica.hub.watchedElsewhere()).toEqual([sessionId]);
    await watcher.leave();
    await replica[Symbol.asyncDispose]();
  });

  test('is asked for once, whoever watches it, and no longer than it is watched', async () => {
    const { replica, sessionId, peers } = await watchedElsewhere();
    const watchers = [replica.watch(sessionId), replica.watch(sessionId)];
    await pass(5000);
    expect([peers.asked, peers.open]).toEqual([[driver.address], 1]);
    await watchers[0]?.leave();
    await pass(1000);
    expect(peers.open).toBe(1);
    await watchers[1]?.leave();
    await pass(1000);
    expect(peers.open).toBe(0);
    await replica[Symbol.asyncDispose]();
  });

  test('is read from the log when the stream breaks, and shown again from there', async () => {
    const { world, replica, executor, sessionId, peers } = await watchedElsewhere();
    const watcher = replica.watch(sessionId);
    executor.say(textStart('b'), textDelta('b', 0, 'a'));
    await pass(1000);
    executor.say(textDelta('b', 1, 'b'));
    await settled();
    peers.cut();
    executor.say(textDelta('b', 2, 'c'));
    await pass(1000);
    executor.say(textDelta('b', 3, 'd'), textEnd('b', 4));
    executor.finish();
    await settled();
    replica.instances.owners.clear();
    await pass(2000);
    const durable = watcher.events.filter(({ seq }) => seq > 0n).map(({ seq }) => seq);
    expect(durable).toEqual(rowsOf(world, sessionId).map(({ seq }) => seq));
    expect(new TextReader().apply(watcher.events).texts).toEqual({ b: 'abcd' });
    expect([peers.asked.length, replica.errors.length]).toEqual([2, 1]);
    await watcher.leave();
    await replica[Symbol.asyncDispose]();
  });

  test('that nobody can be asked for is read from the log, and asked for again after a while', async () => {
    const { world, replica, executor, sessionId, peers } = await watchedElsewhere();
    peers.hubs.clear();
    const watcher = replica.watch(sessionId);
    await pass(4000);
    executor.say(textStart('b'), textDelta('b', 0, 'abc'));
    await pass(1500);
    expect(watcher.told.slice(-2)).toEqual(['4 textStart', '5 textDelta b+0 abc']);
    expect(peers.asked).toHaveLength(1);
    peers.hubs.set(driver.address, world.hub);
    await pass(2000);
    expect([peers.asked.length, peers.open]).toEqual([2, 1]);
    await watcher.leave();
    await replica[Symbol.asyncDispose]();
    expect(peers.open).toBe(0);
  });

  test('that the driver has let go of since is no failure', async () => {
    const { replica, sessionId, peers, executor } = await watchedElsewhere();
    executor.finish();
    await settled();
    const watcher = replica.watch(sessionId);
    await pass(2000);
    expect([peers.asked.length, replica.errors]).toEqual([2, []]);
    await watcher.leave();
    await replica[Symbol.asyncDispose]();
  });

  test('is not tailed when nobody drives it, when it is driven here, or by what this process was', async () => {
    const { world, replica, sessionId, peers } = await watchedElsewhere();
    const other = await openSession(world);
    replica.instances.owners.delete(sessionId);
    replica.instances.owners.set(other, { id: 'the other replica', address: 'http://me' });
    const watchers = [replica.watch(sessionId), replica.watch(other)];
    await pass(3000);
    const publisher = replica.hub.open(sessionId, 3);
    replica.instances.owners.set(sessionId, driver);
    await pass(3000);
    expect(peers.asked).toEqual([]);
    publisher.close();
    await Promise.all(watchers.map((watcher) => watcher.leave()));
    await replica[Symbol.asyncDispose]();
  });

  test('is followed to the next driver, and what the one before still shows is void', async () => {
    const { world, replica, sessionId, run, peers, executor } = await watchedElsewhere();
    const next = { id: 'next', address: 'http://next' };
    const nextHub = new SessionHub();
    peers.hubs.set(next.address, nextHub);
    const watcher = replica.watch(sessionId);
    executor.say(textStart('b'), textDelta('b', 0, 'old'));
    await pass(1000);
    const claimed = await claimSilently(world, next.id);
    const epoch = BigInt(claimed?.run.epoch ?? 0);
    const publisher = nextHub.open(sessionId, claimed?.lastSeq ?? 0);
    replica.instances.owners.set(sessionId, next);
    await pass(1000);
    // The one before does not know yet.
    executor.say(textDelta('b', 3, ' zombie'));
    await settled();
    const shown = (seq: number, event: ReturnType<typeof attempt>): { event: AgentEvent } => {
      return { event: { ...event, seq: BigInt(seq), sessionId, runId: run.id, epoch } };
    };
    publisher.publish([shown(6, attempt(2)), shown(7, textStart('c')), shown(0, textDelta('c', 0, 'new'))]);
    await settled();
    expect(watcher.told.slice(3)).toEqual([
      ...[
        'caught up at 3',
        '4 textStart',
        '5 textDelta b+0 old',
        '6 runAttempt',
        '7 textStart',
        'live textDelta c+0 new',
      ],
    ]);
    expect(peers.asked).toEqual([driver.address, next.address]);
    publisher.close();
    await watcher.leave();
    await replica[Symbol.asyncDispose]();
  });
});

describe('a replica that tails', () => {
  test('and does not keep up asks again, and misses nothing', async () => {
    const { world, sessionId, executor } = await watchedElsewhere();
    const tail = world.hub.tail(sessionId);
    expect(tail?.position).toEqual({ lastSeq: 3, tails: [] });
    executor.say(...Array.from({ length: 300 }, () => attempt(1)));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    executor.say(...Array.from({ length: 300 }, () => attempt(1)));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    expect(await tail?.subscription.take(10, new AbortController().signal)).toEqual({ kind: 'behind' });
    tail?.subscription[Symbol.dispose]();
    expect(world.hub.tail(sessionId)?.position.lastSeq).toBe(603);
  });
});

describe('the look into the database', () => {
  test('asks for a thousand sessions at a time, and for none when none is watched', async () => {
    const world = inMemoryWorld();
    const replica = replicaOf(world, new InProcessPeers());
    await pass(3000);
    expect(replica.instances.asked).toEqual([]);
    const ids = await Promise.all(Array.from({ length: 1001 }, () => openSession(world)));
    const watchers = ids.map((id) => replica.hub.subscribe(id));
    await pass(1000);
    expect(replica.instances.asked.map(({ length }) => length)).toEqual([1000, 1]);
    watchers.forEach((watcher) => watcher[Symbol.dispose]());
    await replica[Symbol.asyncDispose]();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('goes on after a failure, and tells of it', async () => {
    const { world, replica, sessionId, executor } = await watchedElsewhere();
    replica.instances.owners.clear();
    const failing = vi.spyOn(replica.instances, 'watched').mockRejectedValueOnce(new TypeError('away'));
    const watcher = replica.watch(sessionId);
    await settled();
    executor.finish();
    await pass(3000);
    expect(replica.errors).toEqual([new TypeError('away')]);
    expect(watcher.told.at(-1)).toBe('5 runEnd');
    failing.mockRestore();
    expect(rowsOf(world, sessionId)).toHaveLength(5);
    await watcher.leave();
    await replica[Symbol.asyncDispose]();
  });
});
