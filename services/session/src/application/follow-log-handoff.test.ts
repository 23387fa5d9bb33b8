import type { SessionId } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import { brief, spanStart, textDelta, textEnd, textStart } from '../../tests/doubles/said.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { inMemoryWorld, openSession, rowsOf, settled, startedRun, type World } from '../../tests/doubles/world.ts';
import type { AgentEvent, UnplacedEvent } from '../domain/event/agent-event.ts';
import type { FollowQuery } from './follow-cursor.ts';
import { type FollowStep, followLog } from './follow-log.ts';
import { SessionHub } from './session-hub.ts';

const query = (sessionId: SessionId, facts: Partial<FollowQuery> = {}): FollowQuery => {
  return { sessionId, afterSeq: 0, endsWithRun: false, live: true, ...facts };
};
const follow = (world: World, sessionId: SessionId, facts: Partial<FollowQuery> = {}) =>
  new Watcher((signal) => followLog(world, query(sessionId, facts), signal));
const spans = (count: number) => Array.from({ length: count }, () => spanStart('00000000000000a1'));
const beginning = ['1 runStart', '2 spanStart', '3 message'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a process that drains', () => {
  test('ends its streams with a handoff, after what it has shown', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    const watcher = follow(world, sessionId);
    await settled();
    executor.say(textStart('b'), textDelta('b', 0, 'x'));
    await settled();
    world.hub.drain();
    expect(await watcher.ended).toBe('ended');
    expect(watcher.told).toEqual([
      ...beginning,
      ...['caught up at 3', '4 textStart', 'live textDelta b+0 x', 'handoff at 4'],
    ]);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    executor.finish();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('hands a stream that comes off at once, at its own cursor', async () => {
    const world = inMemoryWorld();
    const { sessionId } = await startedRun(world);
    world.hub.drain();
    const watcher = follow(world, sessionId, { afterSeq: 2 });
    await watcher.ended;
    expect(watcher.told).toEqual(['handoff at 2']);
    expect(world.hub.watchedElsewhere()).toEqual([]);
  });

  test('breaks a long replay off where it is', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    executor.say(...spans(1500), textStart('b'), textDelta('b', 0, 'x'));
    await settled();
    const steps = followLog(world, query(sessionId), new AbortController().signal);
    const told = [(await steps.next()).value];
    world.hub.drain();
    told.push(...(await Array.fromAsync(steps)));
    expect(told.map((step) => (step?.kind === 'events' ? step.events.length : step))).toEqual([
      500,
      { kind: 'handoff', afterSeq: 500 },
    ]);
  });

  test('does not hand off a stream of which the end waits', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId, run } = await startedRun(world);
    const steps = followLog(
      world,
      query(sessionId, { runId: run.id, endsWithRun: true, afterSeq: 3 }),
      new AbortController().signal,
    );
    expect((await steps.next()).value).toEqual({ kind: 'caught-up', seq: 3 });
    executor.finish();
    await settled();
    world.hub.drain();
    const told = (await Array.fromAsync(steps)).flatMap((step) =>
      step.kind === 'events' ? step.events.map(brief) : [step.kind],
    );
    expect(told).toEqual(['4 spanEnd', '5 runEnd']);
  });
});

describe('a driver', () => {
  test('that was fenced hands its watchers off, and nobody else', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const otherId = await openSession(world);
    const publisher = world.hub.open(sessionId, 0);
    const [watcher, other] = [follow(world, sessionId), follow(world, otherId)];
    await settled();
    publisher.handOff();
    await watcher.ended;
    expect(watcher.told).toEqual(['caught up at 0', 'handoff at 0 in 200 ms']);
    expect(other.told).toEqual(['caught up at 0']);
    const next = follow(world, sessionId);
    await settled();
    expect(next.told).toEqual(['caught up at 0']);
    await Promise.all([other.leave(), next.leave()]);
  });
});

describe('what is shown with events missing before it', () => {
  const placed = (seq: number, event: UnplacedEvent, epoch = 1n, runId = 'r') => {
    return { event: { ...event, seq: BigInt(seq), sessionId: 's', runId, epoch } satisfies AgentEvent };
  };

  test('is read from the log, also when the first of it has its place', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    executor.say(...spans(4));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    const hub = new SessionHub();
    const rows = rowsOf(world, sessionId);
    const publisher = hub.open(sessionId, 3);
    const watcher = new Watcher((signal) => followLog({ log: world.log, hub }, query(sessionId), signal));
    await settled();
    const [fourth, , , seventh] = rows.slice(3).map((event) => ({ event }));
    publisher.publish(fourth && seventh ? [fourth, seventh] : []);
    await settled();
    expect(watcher.told).toEqual([
      ...beginning,
      ...['caught up at 3', '4 spanStart', '5 spanStart', '6 spanStart', '7 spanStart'],
    ]);
    await watcher.leave();
  });

  test('by a driver of an earlier epoch than what was told is void', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const publisher = world.hub.open(sessionId, 0);
    const watcher = follow(world, sessionId);
    await settled();
    const old = placed(0, textDelta('b', 0, 'old'), 1n);
    publisher.publish([old, placed(1, textStart('c'), 2n), old, placed(0, textDelta('c', 0, 'new'), 2n)]);
    await settled();
    expect(watcher.told).toEqual([
      ...['caught up at 0', 'live textDelta b+0 old', '1 textStart', 'live textDelta c+0 new'],
    ]);
    await watcher.leave();
  });
});

describe('a stream that is not read', () => {
  /** Begins to read a stream, and stops after it has caught up. */
  async function stalled() {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    const steps = followLog(world, query(sessionId), new AbortController().signal);
    const first = [(await steps.next()).value, (await steps.next()).value] as readonly FollowStep[];
    expect(first.at(-1)).toEqual({ kind: 'caught-up', seq: 3 });
    return { world, executor, sessionId, steps };
  }
  /** How many more streams the session may have. */
  function places({ hub }: World, sessionId: SessionId): number {
    using taken = new DisposableStack();
    for (let count = 0; ; count += 1) {
      if (!hub.hasRoom(sessionId)) {
        return count;
      }
      taken.use(hub.subscribe(sessionId));
    }
  }
  const refused = (lastSeq: number) => ({
    kind: 'exhausted',
    reason: 'WATCHER_TOO_SLOW',
    facts: { last_seq: lastSeq },
  });

  test('for thirty seconds although something waits is given up, and hears of it when it is read on', async () => {
    const { world, executor, sessionId, steps } = await stalled();
    executor.say(textStart('b'), textDelta('b', 0, 'x'));
    await settled();
    vi.advanceTimersByTime(29_999);
    await settled();
    expect(places(world, sessionId)).toBe(49);
    vi.advanceTimersByTime(1);
    // Its place is free, and nothing is kept for it.
    expect(places(world, sessionId)).toBe(50);
    executor.finish();
    await settled();
    await expect(steps.next()).rejects.toMatchObject(refused(3));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('tells as far as it has carried, not as far as it has taken', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    const value = { callId: 'c', outcome: 1, content: [], structuredJson: 'x'.repeat(300_000), code: '' };
    executor.say(
      ...Array.from({ length: 3 }, () => ({ ...spanStart('a'), data: { case: 'toolResult' as const, value } })),
    );
    executor.finish();
    await settled();
    const steps = followLog(world, query(sessionId, { afterSeq: 1 }), new AbortController().signal);
    const { value: first } = await steps.next();
    expect(first?.kind === 'events' ? first.events.map(({ seq }) => seq) : []).toEqual([2n, 3n, 4n]);
    world.hub.tellLastSeq(sessionId, 9);
    vi.advanceTimersByTime(30_000);
    await expect(steps.next()).rejects.toMatchObject(refused(4));
  });

  test('is kept as long as nothing waits', async () => {
    const { executor, steps } = await stalled();
    for (let n = 0; n < 10; n += 1) {
      vi.advanceTimersByTime(30_000);
      await settled();
    }
    executor.finish();
    await settled();
    vi.advanceTimersByTime(29_000);
    const told = [(await steps.next()).value, (await steps.next()).value];
    expect(told).toMatchObject([{ kind: 'heartbeat' }, { kind: 'events' }]);
    await steps.return();
  });

  test('is not too slow while it is read now and then', async () => {
    const { executor, steps, sessionId, world } = await stalled();
    executor.say(textStart('b'));
    const events: AgentEvent[] = [];
    for (let n = 0; n < 20; n += 1) {
      executor.say(...Array.from({ length: 400 }, (_, i) => textDelta('b', n * 400 + i, 'y')), ...spans(100));
      await settled();
      vi.advanceTimersByTime(29_000);
      const { value } = await steps.next();
      events.push(...(value?.kind === 'events' ? value.events : []));
    }
    executor.say(textEnd('b', 8000));
    executor.finish();
    await settled();
    while (events.at(-1)?.data.case !== 'runEnd') {
      const { value } = await steps.next();
      events.push(...(value?.kind === 'events' ? value.events : []));
    }
    const durable = events.filter(({ seq }) => seq > 0n).map(({ seq }) => seq);
    expect(durable).toEqual(
      rowsOf(world, sessionId)
        .slice(3)
        .map(({ seq }) => seq),
    );
    expect(new TextReader().apply(events).texts).toEqual({ b: 'y'.repeat(8000) });
    await steps.return();
  });

  test('does not count the time that the database takes', async () => {
    const read = Promise.withResolvers<void>();
    const world = inMemoryWorld({
      log: (log) =>
        replaced(log, {
          async read(each) {
            await read.promise;
            return log.read(each);
          },
        }),
    });
    const { executor, sessionId } = await startedRun(world);
    const watcher = follow(world, sessionId);
    executor.say(...spans(2));
    await settled();
    vi.advanceTimersByTime(60_000);
    read.resolve();
    await settled();
    expect(watcher.told.slice(0, 4)).toEqual([...beginning, 'caught up at 3']);
    await watcher.leave();
  });
});
