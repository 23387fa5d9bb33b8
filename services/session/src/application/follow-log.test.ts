import type { RunId, SessionId } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { assistantMessage, spanStart, textDelta, textEnd, textStart } from '../../tests/doubles/said.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import {
  inMemoryWorld,
  openSession,
  rowsOf,
  settled,
  startedRun,
  startRunIn,
  type World,
} from '../../tests/doubles/world.ts';
import type { FollowQuery } from './follow-cursor.ts';
import { followLog } from './follow-log.ts';

const query = (sessionId: SessionId, facts: Partial<FollowQuery> = {}): FollowQuery => {
  return { sessionId, afterSeq: 0, endsWithRun: false, live: true, ...facts };
};
const follow = (world: World, sessionId: SessionId, facts: Partial<FollowQuery> = {}) =>
  new Watcher((signal) => followLog(world, query(sessionId, facts), signal));
const untilEnd = (world: World, sessionId: SessionId, runId: RunId, afterSeq = 0) =>
  follow(world, sessionId, { runId, afterSeq, endsWithRun: true });

const spans = (count: number) => Array.from({ length: count }, () => spanStart('00000000000000a1'));
const beginning = ['1 runStart', '2 spanStart', '3 message'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a watcher', () => {
  test('gets the rows, then the text that is shown and not stored, then what happens', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId, run } = await startedRun(world);
    executor.say(textStart('b'), textDelta('b', 0, 'a'), textDelta('b', 1, 'b'));
    await settled();
    const watcher = untilEnd(world, sessionId, run.id);
    await settled();
    executor.say(textDelta('b', 2, 'c'), textEnd('b', 3), assistantMessage('m-b'));
    executor.finish();
    expect(await watcher.ended).toBe('ended');
    expect(watcher.told).toEqual([
      ...[...beginning, '4 textStart', 'live textDelta b+0 ab', 'caught up at 4', 'live textDelta b+2 c'],
      ...['5 textDelta b+0 (3)', '6 textEnd', '7 message', '8 spanEnd', '9 runEnd'],
    ]);
  });

  test('gets the whole text of stored chunks and no deltas when it is not live', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId, run } = await startedRun(world);
    executor.say(textStart('b'), textDelta('b', 0, 'ab'));
    await settled();
    const watcher = follow(world, sessionId, { runId: run.id, endsWithRun: true, live: false });
    await settled();
    executor.say(textDelta('b', 2, 'c'), textEnd('b', 3), assistantMessage('m-b'));
    executor.finish();
    await watcher.ended;
    expect(watcher.told).toEqual([
      ...[
        ...beginning,
        '4 textStart',
        'caught up at 4',
        '5 textDelta b+0 abc',
        '6 textEnd',
        '7 message',
        '8 spanEnd',
        '9 runEnd',
      ],
    ]);
  });

  test('gets exactly what is after its cursor, whatever the cursor', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId, run } = await startedRun(world);
    executor.say(...spans(3));
    executor.finish();
    await settled();
    const all = rowsOf(world, sessionId).map(({ seq }) => Number(seq));
    for (const afterSeq of [0, ...all.slice(0, -1)]) {
      const watcher = untilEnd(world, sessionId, run.id, afterSeq);
      await watcher.ended;
      expect(watcher.events.map(({ seq }) => Number(seq))).toEqual(all.slice(afterSeq));
    }
  });

  test('of one run gets nothing of the others, and ends with its terminal event', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    first.executor.finish();
    await settled();
    const second = await startRunIn(world, first.sessionId);
    const watchers = [first, second].map(({ run }) => untilEnd(world, first.sessionId, run.id));
    second.executor.finish();
    await Promise.all(watchers.map(({ ended }) => ended));
    const seqs = watchers.map(({ events }) => events.map(({ seq }) => Number(seq)));
    expect(seqs).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
    ]);
  });

  test('hears of a run that starts while it watches, before the executor says anything', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const watcher = follow(world, sessionId);
    await settled();
    await startRunIn(world, sessionId);
    expect(watcher.told).toEqual(['caught up at 0', ...beginning]);
    await watcher.leave();
  });

  test('goes on over the end of a run into the next one', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    const watcher = follow(world, sessionId, { afterSeq: 3 });
    executor.finish();
    await settled();
    (await startRunIn(world, sessionId)).executor.finish();
    await settled();
    expect(watcher.told).toEqual([
      ...[
        'caught up at 3',
        '4 spanEnd',
        '5 runEnd',
        '6 runStart',
        '7 spanStart',
        '8 message',
        '9 spanEnd',
        '10 runEnd',
      ],
    ]);
    await watcher.leave();
  });

  test('is caught up from the rows when it is too slow, and misses nothing', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId, run } = await startedRun(world);
    const steps = followLog(
      world,
      query(sessionId, { runId: run.id, endsWithRun: true }),
      new AbortController().signal,
    );
    const events = [];
    for (let step = await steps.next(); step.done !== true; step = await steps.next()) {
      events.push(...(step.value.kind === 'events' ? step.value.events : []));
      if (step.value.kind === 'caught-up') {
        executor.say(textStart('b'), ...Array.from({ length: 3000 }, (_, n) => textDelta('b', n, 'x')));
        executor.say(...spans(1200), textEnd('b', 3000));
        executor.finish();
        await settled();
      }
    }
    expect(events.filter(({ seq }) => seq > 0n).map(({ seq }) => seq)).toEqual(
      rowsOf(world, sessionId).map(({ seq }) => seq),
    );
    expect(new TextReader().apply(events).texts).toEqual({ b: 'x'.repeat(3000) });
  });

  test('gets large events in steps that fit into a message', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId, run } = await startedRun(world);
    const value = { callId: 'c', outcome: 1, content: [], structuredJson: 'x'.repeat(200_000), code: '' };
    executor.say(
      ...Array.from({ length: 5 }, () => ({ ...spanStart('a'), data: { case: 'toolResult' as const, value } })),
    );
    executor.finish();
    await settled();
    const watcher = untilEnd(world, sessionId, run.id);
    await watcher.ended;
    expect(watcher.steps.map((step) => (step.kind === 'events' ? step.events.length : step.kind))).toEqual([
      4, 1, 1, 1, 5,
    ]);
  });
});

describe('silence', () => {
  test('is broken by a heartbeat every ten seconds', async () => {
    const world = inMemoryWorld();
    const { sessionId } = await startedRun(world);
    const watcher = follow(world, sessionId);
    for (const ms of [9_999, 1, 9_999, 1]) {
      await settled();
      vi.advanceTimersByTime(ms);
    }
    await settled();
    expect(watcher.told).toEqual([...beginning, 'caught up at 3', 'heartbeat at 3', 'heartbeat at 3']);
    await watcher.leave();
  });
});

test('a stream of one run is not silent for longer while another run is busy', async () => {
  const world = inMemoryWorld();
  const first = await startedRun(world);
  first.executor.finish();
  await settled();
  const { executor, sessionId } = await startRunIn(world, first.sessionId);
  const watcher = follow(world, sessionId, { runId: first.run.id, afterSeq: 5 });
  for (let n = 0; n < 42; n += 1) {
    executor.say(...spans(1));
    await settled();
    vi.advanceTimersByTime(500);
  }
  await settled();
  expect(watcher.told).toEqual(['caught up at 8', 'heartbeat at 29', 'heartbeat at 49']);
  await watcher.leave();
});

describe('leaving', () => {
  test('ends a stream that waits at once, and leaves nothing behind', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const watcher = follow(world, sessionId);
    await settled();
    expect(world.hub.watchedElsewhere()).toEqual([sessionId]);
    await watcher.leave();
    expect(world.hub.watchedElsewhere()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('before anything was read ends without a word', async () => {
    const world = inMemoryWorld();
    const { sessionId } = await startedRun(world);
    const steps = await Array.fromAsync(followLog(world, query(sessionId), AbortSignal.abort()));
    expect(steps).toEqual([]);
  });

  test('in the middle of the replay leaves nothing behind', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    executor.say(...spans(1500));
    executor.finish();
    await settled();
    const steps = followLog(world, query(sessionId), new AbortController().signal);
    expect((await steps.next()).value).toMatchObject({ kind: 'events' });
    expect(world.hub.watchedElsewhere()).toEqual([sessionId]);
    await steps.return();
    expect(world.hub.watchedElsewhere()).toEqual([]);
  });
});
