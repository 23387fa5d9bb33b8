import type { SessionId } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import { assistantMessage, textDelta, textEnd, textStart } from '../../tests/doubles/said.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { inMemoryWorld, openSession, settled, startedRun, startRunIn, type World } from '../../tests/doubles/world.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import type { FollowQuery } from './follow-cursor.ts';
import { followLog } from './follow-log.ts';

const query = (sessionId: SessionId, facts: Partial<FollowQuery> = {}): FollowQuery => {
  return { sessionId, afterSeq: 0, endsWithRun: false, live: true, ...facts };
};
const follow = (world: World, sessionId: SessionId, facts: Partial<FollowQuery> = {}) =>
  new Watcher((signal) => followLog(world, query(sessionId, facts), signal));

const beginning = ['1 runStart', '2 spanStart', '3 message'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a session that is driven elsewhere', () => {
  test('is read when its log has grown', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    executor.finish();
    await settled();
    const elsewhere = inMemoryWorld();
    const watcher = new Watcher((signal) =>
      followLog({ log: world.log, hub: elsewhere.hub }, query(sessionId, { afterSeq: 3 }), signal),
    );
    await settled();
    const next = await startRunIn(world, sessionId);
    next.executor.say(textStart('b'), textDelta('b', 0, 'text'), textEnd('b', 4), assistantMessage('m-b'));
    next.executor.finish();
    await settled();
    expect(watcher.told).toEqual(['4 spanEnd', '5 runEnd', 'caught up at 5']);
    expect(elsewhere.hub.watchedElsewhere()).toEqual([sessionId]);
    elsewhere.hub.tellLastSeq(sessionId, 14);
    await settled();
    expect(watcher.told.slice(3)).toEqual([
      ...['6 runStart', '7 spanStart', '8 message', '9 textStart', '10 textDelta b+0 text', '11 textEnd', '12 message'],
      '13 spanEnd',
      '14 runEnd',
    ]);
    await watcher.leave();
  });

  test('does not keep the process busy when it is told of events that are committed and not shown yet', async () => {
    const world = inMemoryWorld();
    const { sessionId, executor } = await startedRun(world);
    const watcher = follow(world, sessionId);
    await settled();
    world.hub.tellLastSeq(sessionId, 5);
    await settled();
    executor.finish();
    await settled();
    expect(watcher.told).toEqual([...beginning, 'caught up at 3', '4 spanEnd', '5 runEnd']);
    await watcher.leave();
  });

  test('that begins to be driven here while the log is asked shows no text twice', async () => {
    let asked: (() => void) | undefined;
    const holding = (log: EventLog): EventLog =>
      replaced(log, {
        async bounds(sessionId) {
          await new Promise<void>((resolve) => {
            asked = resolve;
          });
          return log.bounds(sessionId);
        },
      });
    const world = inMemoryWorld({ log: holding });
    const sessionId = await openSession(world);
    const watcher = follow(world, sessionId);
    const { executor } = await startRunIn(world, sessionId);
    executor.say(textStart('b'), textDelta('b', 0, 'once'), textEnd('b', 4));
    await settled();
    asked?.();
    await settled();
    expect(watcher.told).toEqual([...beginning, '4 textStart', '5 textDelta b+0 once', '6 textEnd', 'caught up at 6']);
    await watcher.leave();
  });
});
