import { databaseUnavailable } from '@spanwise/persistence';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RunRepository } from '../src/domain/run/run-repository.ts';
import { until } from './doubles/driving.ts';
import { textDelta, textStart } from './doubles/said.ts';
import { alice, inMemoryWorld, openSession, options, settled, startedRun, startRunIn } from './doubles/world.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A repository with some methods replaced. */
function replaced(runs: RunRepository, change: Partial<RunRepository>): RunRepository {
  return new Proxy(runs, {
    get(target, name) {
      const value: unknown = Reflect.get(change, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('drives a run once that was enqueued without an answer and promoted before the next try', async () => {
  let isCut = false;
  const world = inMemoryWorld({
    runs: (runs) =>
      replaced(runs, {
        async start(request, plan) {
          const outcome = await runs.start(request, plan);
          if (isCut) {
            isCut = false;
            throw databaseUnavailable(new Error('the answer was lost'));
          }
          return outcome;
        },
      }),
  });
  const sessionId = await openSession(world);
  const first = await startRunIn(world, sessionId);
  isCut = true;
  const asked = { options, requestId: 'r2', busyPolicy: 'enqueue' } as const;
  const second = world.startRun.execute({ caller: alice, sessionId, input: [['next']], ...asked });
  await until(() => world.store.runs.size === 2);
  first.executor.finish();
  await until(() => world.runtime.executions.length === 2);
  vi.advanceTimersByTime(500);
  await second;
  await settled();
  expect(world.runtime.executions.map(({ dispatch }) => dispatch.epoch)).toEqual([1, 2]);
});

test('goes on with a run whose claim took longer than text waits to be stored', async () => {
  const world = inMemoryWorld({
    runs: (runs) =>
      replaced(runs, {
        async claim(claim) {
          const claimed = await runs.claim(claim);
          await new Promise((resolve) => setTimeout(resolve, 400));
          return claimed;
        },
      }),
  });
  const started = await startedRun(world);
  started.executor.say(textStart('b'), textDelta('b', 0, 'half a sentence'));
  await settled();
  started.executor.lose();
  await until(() => world.runtime.executions.length === 2 || world.lost.length > 0);
  expect(world.lost).toEqual([]);
});
