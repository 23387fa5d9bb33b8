import type { SessionId } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { alice, inMemoryWorld, openSession, options, settled, type World } from '../../tests/doubles/world.ts';
import type { RunSessionRequest } from './run-session.ts';

const beginning = ['1 runStart', '2 spanStart', '3 message'];

async function open(world: World, sessionId: SessionId, more: Partial<RunSessionRequest> = {}, isLeftByClient = true) {
  const request = {
    caller: alice,
    sessionId,
    input: [['hello']],
    options,
    requestId: 'r',
    afterSeq: 0,
    live: true,
  } as const;
  const busyPolicy = 'reject';
  const stream = new Watcher((signal) =>
    world.runSession.execute(
      { ...request, busyPolicy, cancelsOnDisconnect: false, ...more },
      { signal, isLeftByClient: () => isLeftByClient },
    ),
  );
  await stream.begun;
  await settled();
  return stream;
}

async function inMemorySession() {
  const world = inMemoryWorld();
  return { world, sessionId: await openSession(world) };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a stream of a run', () => {
  test('begins with the run and ends after its terminal event', async () => {
    const { world, sessionId } = await inMemorySession();
    const stream = await open(world, sessionId);
    world.runtime.last.finish();
    await stream.ended;
    expect(stream.told).toEqual(['run RUNNING', ...beginning, 'caught up at 3', '4 spanEnd', '5 runEnd']);
  });

  test('attaches to the run of the same request, running or over, from any cursor', async () => {
    const { world, sessionId } = await inMemorySession();
    const first = await open(world, sessionId);
    const second = await open(world, sessionId, { afterSeq: 2 });
    world.runtime.last.finish();
    await Promise.all([first.ended, second.ended]);
    expect(second.told).toEqual(['run RUNNING', '3 message', 'caught up at 3', '4 spanEnd', '5 runEnd']);
    const late = await open(world, sessionId, { afterSeq: 4 });
    await late.ended;
    expect(late.told).toEqual(['run COMPLETED', '5 runEnd']);
    expect(world.runtime.executions).toHaveLength(1);
  });

  test('ends at once for who has the terminal event already, also after later runs', async () => {
    const { world, sessionId } = await inMemorySession();
    const first = await open(world, sessionId);
    world.runtime.last.finish();
    await first.ended;
    const again = await open(world, sessionId, { afterSeq: 5, cancelsOnDisconnect: true });
    await again.ended;
    expect(again.told).toEqual(['run COMPLETED']);
    const next = await open(world, sessionId, { requestId: 'next' });
    const later = await open(world, sessionId, { afterSeq: 7 });
    await later.ended;
    expect(later.told).toEqual(['run COMPLETED']);
    await next.leave();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('of a later run begins with its RUN_START, though the cursor lies before it', async () => {
    const { world, sessionId } = await inMemorySession();
    const first = await open(world, sessionId);
    world.runtime.last.finish();
    await first.ended;
    const second = await open(world, sessionId, { requestId: 'second', afterSeq: 1 });
    expect(second.told).toEqual(['run RUNNING', '6 runStart', '7 spanStart', '8 message', 'caught up at 8']);
    await second.leave();
  });

  test('refuses a cursor beyond the log, and starts nothing', async () => {
    const { world, sessionId } = await inMemorySession();
    const stream = await open(world, sessionId, { afterSeq: 4 });
    await expect(stream.ended).rejects.toMatchObject({
      reason: 'CURSOR_OUT_OF_RANGE',
      facts: { first_seq: 1, last_seq: 0 },
    });
    expect(await world.runs.list(sessionId, undefined, 1)).toEqual([]);
  });
});

/** Lets time pass, on all clocks. */
function pass(world: World, ms: number): void {
  for (let passed = 0; passed < ms; passed += Math.min(1000, ms - passed)) {
    world.clock.advance(Math.min(1000, ms - passed));
    vi.advanceTimersByTime(Math.min(1000, ms - passed));
  }
}

describe('a client that leaves', () => {
  const isCancelled = async (world: World, sessionId: SessionId) => {
    await settled();
    const [run] = await world.runs.list(sessionId, undefined, 1);
    return run?.cancelRequestedAtMs !== undefined;
  };

  test('leaves its run running', async () => {
    const { world, sessionId } = await inMemorySession();
    const stream = await open(world, sessionId);
    await stream.leave();
    vi.advanceTimersByTime(60_000);
    expect(await isCancelled(world, sessionId)).toBe(false);
    expect(world.runtime.last.aborts).toEqual([]);
  });

  test('has ten seconds to come back before its run is cancelled, when it asked for that', async () => {
    const { world, sessionId } = await inMemorySession();
    const stream = await open(world, sessionId, { cancelsOnDisconnect: true });
    await stream.leave();
    pass(world, 9_999);
    expect(await isCancelled(world, sessionId)).toBe(false);
    pass(world, 1);
    expect(await isCancelled(world, sessionId)).toBe(true);
    expect(world.runtime.last.aborts).toEqual(['cancelled']);
  });

  test('keeps its run when it comes back, and gets another ten seconds when it leaves again', async () => {
    const { world, sessionId } = await inMemorySession();
    const first = await open(world, sessionId, { cancelsOnDisconnect: true });
    await first.leave();
    pass(world, 9_000);
    const second = await open(world, sessionId, { cancelsOnDisconnect: true });
    pass(world, 9_000);
    expect(await isCancelled(world, sessionId)).toBe(false);
    await second.leave();
    pass(world, 10_000);
    expect(await isCancelled(world, sessionId)).toBe(true);
  });

  test('keeps its run when it has come back at another replica', async () => {
    const { world, sessionId } = await inMemorySession();
    const stream = await open(world, sessionId, { cancelsOnDisconnect: true });
    await stream.leave();
    pass(world, 4_000);
    const other = inMemoryWorld({ store: world.store });
    const [run] = [...world.store.runs.values()];
    await other.runs.attach(run === undefined ? [] : [run.id]);
    pass(world, 60_000);
    expect(await isCancelled(world, sessionId)).toBe(false);
  });

  test('keeps its run while another such stream is open', async () => {
    const { world, sessionId } = await inMemorySession();
    const streams = [
      await open(world, sessionId, { cancelsOnDisconnect: true }),
      await open(world, sessionId, { cancelsOnDisconnect: true }),
    ];
    await settled();
    await streams[0]?.leave();
    pass(world, 60_000);
    expect(await isCancelled(world, sessionId)).toBe(false);
    await streams[1]?.leave();
    pass(world, 10_000);
    expect(await isCancelled(world, sessionId)).toBe(true);
  });

  test('does not cancel anything when the server ended the stream, or the run is over', async () => {
    const { world, sessionId } = await inMemorySession();
    const drained = await open(world, sessionId, { cancelsOnDisconnect: true }, false);
    await drained.leave();
    const watched = await open(world, sessionId, { cancelsOnDisconnect: true });
    world.runtime.last.finish();
    await watched.ended;
    vi.advanceTimersByTime(60_000);
    expect(await isCancelled(world, sessionId)).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is forgotten when the process ends', async () => {
    const { world, sessionId } = await inMemorySession();
    const stream = await open(world, sessionId, { cancelsOnDisconnect: true });
    await stream.leave();
    world.disconnects[Symbol.dispose]();
    vi.advanceTimersByTime(60_000);
    expect(await isCancelled(world, sessionId)).toBe(false);
  });
});
