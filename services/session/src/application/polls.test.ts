import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import { inMemoryWorld, instanceId, openSession, settled, startedRun, type World } from '../../tests/doubles/world.ts';
import { startPolls } from './polls.ts';

function polls(world: World, more: Partial<Parameters<typeof startPolls>[0]> = {}) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  return {
    errors,
    stop: startPolls({
      endLost: async () => undefined,
      ...world,
      instanceId,
      cancelPollMs: 1000,
      logPollMs: 250,
      onError,
      ...more,
    }),
  };
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    vi.advanceTimersByTime(50);
    await settled();
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('looking at the database', () => {
  test('cancels a run whose flag was set by another replica', async () => {
    const world = inMemoryWorld();
    const { run, executor, sessionId } = await startedRun(world);
    const { stop } = polls(world);
    await world.runs.requestCancel(sessionId, run.id, '', 1);
    await pass(950);
    expect(executor.aborts).toEqual([]);
    await pass(50);
    expect(executor.aborts).toEqual(['cancelled']);
    await pass(3000);
    expect(executor.aborts).toEqual(['cancelled']);
    await stop[Symbol.asyncDispose]();
  });

  test('asks for no flags while nothing is driven here', async () => {
    const world = inMemoryWorld();
    let asked = 0;
    const runs = replaced(world.runs, {
      async cancelRequested() {
        asked += 1;
        return [];
      },
    });
    const { stop } = polls(world, { runs });
    await pass(5000);
    expect(asked).toBe(0);
    await stop[Symbol.asyncDispose]();
  });

  test('tells watchers of sessions that are driven elsewhere how far the log is', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const elsewhere = await startedRun(world);
    const { hub } = inMemoryWorld();
    const { stop } = polls(world, { hub });
    const [idle, grown] = [hub.subscribe(sessionId), hub.subscribe(elsewhere.sessionId)];
    const taken = grown.take(10_000, new AbortController().signal);
    const silent = idle.take(10_000, new AbortController().signal);
    await pass(250);
    expect(await taken).toEqual({ kind: 'behind' });
    await pass(10_000);
    expect(await silent).toEqual({ kind: 'silence' });
    await stop[Symbol.asyncDispose]();
  });

  test('goes on after a failure, and tells of it', async () => {
    const world = inMemoryWorld();
    const { run, executor, sessionId } = await startedRun(world);
    let fails = true;
    const runs = replaced(world.runs, {
      cancelRequested(ownerId) {
        const isFailing = fails;
        fails = false;
        return isFailing ? Promise.reject(new TypeError('away')) : world.runs.cancelRequested(ownerId);
      },
    });
    const { errors, stop } = polls(world, { runs });
    await world.runs.requestCancel(sessionId, run.id, '', 1);
    // A second, then two: the pause doubles while it fails.
    await pass(3000);
    expect([errors, executor.aborts]).toEqual([[new TypeError('away')], ['cancelled']]);
    await stop[Symbol.asyncDispose]();
  });

  test('ends with the look that is under way', async () => {
    const world = inMemoryWorld();
    await startedRun(world);
    const look = Promise.withResolvers<readonly never[]>();
    const { stop } = polls(world, { runs: replaced(world.runs, { cancelRequested: () => look.promise }) });
    await pass(1000);
    let isStopped = false;
    const stopping = stop[Symbol.asyncDispose]().then(() => {
      isStopped = true;
    });
    await settled();
    expect(isStopped).toBe(false);
    look.resolve([]);
    await stopping;
    expect(vi.getTimerCount()).toBe(0);
  });
});
