import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import { inMemoryWorld, instanceId, settled, startedRun, type World } from '../../tests/doubles/world.ts';
import { startPolls } from './polls.ts';

function polls(world: World, more: Partial<Parameters<typeof startPolls>[0]> = {}) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const times = { ownRunsMs: 1000, takeOverMs: 2000 };
  return { errors, stop: startPolls({ ...world, instanceId: () => instanceId, ...times, onError, ...more }) };
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
    await pass(700);
    expect(executor.aborts).toEqual([]);
    await pass(300);
    expect(executor.aborts).toEqual(['cancelled']);
    await stop[Symbol.asyncDispose]();
  });

  test('lets go of a run that the database says is driven here and that is not', async () => {
    const world = inMemoryWorld();
    const { run, sessionId } = await startedRun(world);
    world.drivers.loseAll();
    await settled();
    expect(world.drivers.count).toBe(0);
    const { stop } = polls(world, { takeOverMs: 1_000_000 });
    await pass(1000);
    expect((await world.runs.find(sessionId, run.id))?.ownerId).toBe(instanceId);
    await pass(1000);
    expect((await world.runs.find(sessionId, run.id))?.ownerId).toBeUndefined();
    await stop[Symbol.asyncDispose]();
  });

  test('takes a run that nobody drives', async () => {
    const world = inMemoryWorld();
    const { run } = await startedRun(world);
    world.drivers.loseAll();
    await settled();
    const { stop } = polls(world);
    await pass(5000);
    expect(world.taken).toMatchObject([{ run: { id: run.id, attempt: 2 }, reason: 3 }]);
    expect(world.runtime.executions).toHaveLength(2);
    await stop[Symbol.asyncDispose]();
  });

  test('goes on after a failure, and tells of it', async () => {
    const world = inMemoryWorld();
    const { run, executor, sessionId } = await startedRun(world);
    let fails = true;
    const runs = replaced(world.runs, {
      ownedBy(ownerId) {
        const isFailing = fails;
        fails = false;
        return isFailing ? Promise.reject(new TypeError('away')) : world.runs.ownedBy(ownerId);
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
    const look = Promise.withResolvers<readonly never[]>();
    const { stop } = polls(world, { runs: replaced(world.runs, { ownedBy: () => look.promise }) });
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
