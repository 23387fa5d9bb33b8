import { brandId, type RunId } from '@spanwise/kernel';
import { describe, expect, test } from 'vitest';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { alice, bob, inMemoryWorld, openSession, settled, startedRun, startRunIn } from '../../tests/doubles/world.ts';
import type { WatchSessionRequest } from './watch-session.ts';

/** A session with a run that is over and one that is not: seq 1 to 5, and 6 to 8. */
async function watchedSession() {
  const world = inMemoryWorld();
  const first = await startedRun(world);
  first.executor.finish();
  await settled();
  const second = await startRunIn(world, first.sessionId);
  const watch = async (more: Partial<WatchSessionRequest> = {}) => {
    const request = { caller: alice, sessionId: first.sessionId, afterSeq: 0, runId: undefined, live: true, ...more };
    const watcher = new Watcher((signal) => world.watchSession.execute(request, signal));
    await settled();
    return watcher;
  };
  return { world, first, second, watch };
}

describe('watching a session', () => {
  test.each([
    [0, [1, 2, 3, 4, 5, 6, 7, 8]],
    [1, [2, 3, 4, 5, 6, 7, 8]],
    [7, [8]],
    [8, []],
    [-1, []],
  ])('after %d replays what is after it', async (afterSeq, seqs) => {
    const { watch, second } = await watchedSession();
    const watcher = await watch({ afterSeq });
    expect(watcher.events.map(({ seq }) => Number(seq))).toEqual(seqs);
    expect(watcher.told.at(-1)).toBe('caught up at 8');
    second.executor.finish();
    await settled();
    expect(watcher.told.slice(-2)).toEqual(['9 spanEnd', '10 runEnd']);
    await watcher.leave();
  });

  test.each([9, 1_000_000])('after %d is out of range', async (afterSeq) => {
    const { watch } = await watchedSession();
    const facts = { first_seq: 1, last_seq: 8 };
    await expect((await watch({ afterSeq })).ended).rejects.toMatchObject({ kind: 'out-of-range', facts });
  });

  test('of which the beginning is gone tells from where it can be watched', async () => {
    const { world, first, watch } = await watchedSession();
    const entry = world.store.sessions.get(first.sessionId);
    Object.assign(entry ?? {}, { session: { ...entry?.session, firstSeq: 6 }, events: entry?.events.slice(5) });
    await expect((await watch({ afterSeq: 4 })).ended).rejects.toMatchObject({ facts: { first_seq: 6, last_seq: 8 } });
    const watchers = [await watch({ afterSeq: 5 }), await watch({ afterSeq: 0 })];
    const seqs = watchers.map(({ events }) => events.map(({ seq }) => Number(seq)));
    expect(seqs).toEqual([
      [6, 7, 8],
      [6, 7, 8],
    ]);
    await Promise.all(watchers.map((watcher) => watcher.leave()));
  });

  test('for one run tells only of it, and goes on after its end', async () => {
    const { world, first, second, watch } = await watchedSession();
    const watchers = [await watch({ runId: first.run.id }), await watch({ runId: second.run.id })];
    second.executor.finish();
    await settled();
    const next = await startRunIn(world, first.sessionId);
    next.executor.finish();
    await settled();
    expect(watchers.map(({ told }) => told)).toEqual([
      ['1 runStart', '2 spanStart', '3 message', '4 spanEnd', '5 runEnd', 'caught up at 8'],
      ['6 runStart', '7 spanStart', '8 message', 'caught up at 8', '9 spanEnd', '10 runEnd'],
    ]);
    await Promise.all(watchers.map((watcher) => watcher.leave()));
    expect(world.hub.watchedElsewhere()).toEqual([]);
  });

  test('that is empty catches up at once', async () => {
    const { world } = await watchedSession();
    const sessionId = await openSession(world);
    for (const afterSeq of [0, -1]) {
      const request = { caller: alice, sessionId, afterSeq, runId: undefined, live: true };
      const watcher = new Watcher((signal) => world.watchSession.execute(request, signal));
      await settled();
      expect(watcher.told).toEqual(['caught up at 0']);
      await watcher.leave();
    }
  });

  test('of someone else, or for a run that it has not, is refused', async () => {
    const { watch, world } = await watchedSession();
    await expect((await watch({ caller: bob })).ended).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    const other = await startedRun(world);
    for (const runId of [other.run.id, brandId<RunId>('none')]) {
      await expect((await watch({ runId })).ended).rejects.toMatchObject({ reason: 'RUN_NOT_FOUND' });
    }
  });
});
