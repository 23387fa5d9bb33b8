import type { SessionId } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import { answered, attempt, spanStart, waiting } from '../../tests/doubles/said.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { alice, bob, inMemoryWorld, openSession, options, settled, type World } from '../../tests/doubles/world.ts';
import type { UnplacedEvent } from '../domain/event/agent-event.ts';
import type { Run } from '../domain/run/run.ts';
import { RunSession, type RunSessionRequest } from './run-session.ts';

const beginning = ['1 runStart', '2 spanStart', '3 message'];

async function open(
  { runSession }: Pick<World, 'runSession'>,
  sessionId: SessionId,
  more: Partial<RunSessionRequest> = {},
) {
  const request = {
    caller: alice,
    sessionId,
    input: [['hello']],
    options,
    requestId: 'r',
    afterSeq: 0,
    live: true,
    busyPolicy: 'reject' as const,
  };
  const stream = new Watcher((signal) =>
    runSession.execute({ ...request, cancelsOnDisconnect: false, ...more }, { signal, isLeftByClient: () => true }),
  );
  await stream.begun;
  await settled();
  return stream;
}

async function inMemorySession() {
  const world = inMemoryWorld();
  return { world, sessionId: await openSession(world) };
}

async function say(world: World, ...events: readonly UnplacedEvent[]) {
  world.runtime.last.say(...events);
  await settled();
  vi.advanceTimersByTime(20);
  await settled();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a stream of a run that waits', () => {
  test('ends after RUN_WAITING', async () => {
    const { world, sessionId } = await inMemorySession();
    const stream = await open(world, sessionId);
    await say(world, waiting());
    expect(await stream.ended).toBe('ended');
    expect(stream.told).toEqual(['run RUNNING', ...beginning, 'caught up at 3', '4 runWaiting']);
  });

  test('ends after the replay, when nothing came after it', async () => {
    const { world, sessionId } = await inMemorySession();
    const first = await open(world, sessionId);
    await say(world, waiting());
    await first.ended;
    const late = await open(world, sessionId, { afterSeq: 2 });
    await late.ended;
    expect(late.told).toEqual(['run RUNNING', '3 message', '4 runWaiting']);
  });

  test('goes on over an old one, to the end of the run', async () => {
    const { world, sessionId } = await inMemorySession();
    await open(world, sessionId);
    await say(world, waiting());
    await say(world, answered(), attempt(2), spanStart('b'));
    const late = await open(world, sessionId);
    await say(world, spanStart('c'));
    world.runtime.last.finish();
    await late.ended;
    const ending = ['9 spanEnd', '10 spanEnd', '11 spanEnd', '12 runEnd'];
    const replayed = ['4 runWaiting', '5 interruptAnswered', '6 runAttempt', '7 spanStart', 'caught up at 7'];
    expect(late.told).toEqual(['run RUNNING', ...beginning, ...replayed, '8 spanStart', ...ending]);
  });

  test('ends for who has RUN_WAITING already, while the run waits', async () => {
    const { world, sessionId } = await inMemorySession();
    await open(world, sessionId);
    await say(world, waiting());
    const status = (change: Partial<Run>) => sessionWith(world, (run) => ({ ...run, ...change }));
    const again = await open(status({ status: 'WAITING' }), sessionId, { afterSeq: 4 });
    await again.ended;
    expect(again.told).toEqual(['run WAITING']);
    // Answered meanwhile: it goes on.
    await say(world, answered(), attempt(2));
    const resumed = await open(status({ status: 'WAITING' }), sessionId, { afterSeq: 4 });
    world.runtime.last.finish();
    await resumed.ended;
    expect(resumed.told.slice(1)).toEqual([
      ...['5 interruptAnswered', '6 runAttempt', 'caught up at 6', '7 spanEnd', '8 runEnd'],
    ]);
  });
});

/** A use case that finds runs changed. */
function sessionWith(world: World, changed: (run: Run) => Run) {
  const startRun = replaced(world.startRun, {
    async execute(request) {
      const started = await world.startRun.execute(request);
      return { ...started, run: changed(started.run) };
    },
  });
  const runs = replaced(world.runs, {
    async find(sessionId, runId) {
      const run = await world.runs.find(sessionId, runId);
      return run === undefined ? undefined : changed(run);
    },
  });
  return { runSession: new RunSession({ ...world, startRun, runs }) };
}

describe('a stream of a queued run', () => {
  /** A run that is in the queue until the test says otherwise, in a session of which the log is three events long. */
  async function queued() {
    const { world, sessionId } = await inMemorySession();
    let state: Partial<Run> = { status: 'QUEUED', startSeq: 0 };
    const useCase = sessionWith(world, (run) => ({ ...run, ...state }));
    const become = (next: Partial<Run>) => {
      state = next;
    };
    return { world, sessionId, useCase, become };
  }

  test('says the run, gives signs of life, and tells its events once it has begun', async () => {
    const { world, sessionId, useCase, become } = await queued();
    const stream = await open(useCase, sessionId);
    for (let n = 0; n < 10; n += 1) {
      vi.advanceTimersByTime(1000);
      await settled();
    }
    expect(stream.told).toEqual(['run QUEUED', 'heartbeat at 0']);
    become({});
    vi.advanceTimersByTime(1000);
    await settled();
    world.runtime.last.finish();
    await stream.ended;
    expect(stream.told.slice(2)).toEqual([...beginning, 'caught up at 3', '4 spanEnd', '5 runEnd']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('hears at once of what happens here', async () => {
    const { world, sessionId, useCase, become } = await queued();
    const stream = await open(useCase, sessionId);
    become({ status: 'CANCELLED', startSeq: 0 });
    await settled();
    expect(stream.told).toEqual(['run QUEUED']);
    world.hub.tellRunChanged(sessionId);
    expect(await stream.ended).toBe('ended');
    expect(stream.told).toEqual(['run QUEUED', 'run CANCELLED']);
  });

  test('that was cancelled before it began says so, and ends', async () => {
    const { sessionId, useCase, become } = await queued();
    become({ status: 'CANCELLED', startSeq: 0 });
    const stream = await open(useCase, sessionId);
    await stream.ended;
    expect(stream.told).toEqual(['run CANCELLED']);
  });

  test('is handed off when the process drains', async () => {
    const { world, sessionId, useCase } = await queued();
    const stream = await open(useCase, sessionId);
    world.hub.drain();
    await stream.ended;
    expect(stream.told).toEqual(['run QUEUED', 'handoff at 0']);
  });

  test('ends when its client leaves, and leaves nothing behind', async () => {
    const { world, sessionId, useCase } = await queued();
    const stream = await open(useCase, sessionId);
    await stream.leave();
    world.runtime.last.finish();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a stream that is refused', () => {
  test('because the session has too many starts nothing', async () => {
    const { world, sessionId } = await inMemorySession();
    const watchers = Array.from({ length: 50 }, () => world.hub.subscribe(sessionId));
    const stream = await open(world, sessionId);
    await expect(stream.ended).rejects.toMatchObject({ reason: 'TOO_MANY_WATCHERS', facts: { limit: 50 } });
    const foreign = await open(world, sessionId, { caller: bob });
    await expect(foreign.ended).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    expect(await world.runs.list(sessionId, undefined, 1)).toEqual([]);
    watchers[0]?.[Symbol.dispose]();
    const taken = await open(world, sessionId);
    expect(taken.told).toEqual(['run RUNNING', ...beginning, 'caught up at 3']);
    await taken.leave();
  });

  test('because it is not read does not cancel its run', async () => {
    const { world, sessionId } = await inMemorySession();
    const request = {
      caller: alice,
      sessionId,
      input: [['hello']],
      options,
      requestId: 'r',
      afterSeq: 0,
      live: true,
      busyPolicy: 'reject' as const,
    };
    const steps = world.runSession.execute(
      { ...request, cancelsOnDisconnect: true, busyPolicy: 'reject' as const },
      { signal: new AbortController().signal, isLeftByClient: () => true },
    );
    await steps.next();
    await steps.next();
    await steps.next();
    await say(world, spanStart('a'));
    vi.advanceTimersByTime(30_000);
    await expect(steps.next()).rejects.toMatchObject({ reason: 'WATCHER_TOO_SLOW' });
    vi.advanceTimersByTime(10_000);
    await settled();
    expect(world.runtime.last.aborts).toEqual([]);
  });
});
