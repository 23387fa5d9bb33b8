import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Retained } from './retain.ts';
import { retainEvery } from './retain-every.ts';

const nothing: Retained = { prunedVersions: 0, expiredLayers: 0, unpinnedViews: 0, forgottenKeys: 0, swept: 0 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('looks for the first time after minutes, then again and again, also after a failure', async () => {
  let looks = 0;
  const errors: unknown[] = [];
  const execute = async () => {
    looks += 1;
    if (looks === 1) {
      throw new TypeError('away');
    }
    return nothing;
  };
  await using _every = retainEvery({ execute }, { everyMs: 3_600_000, onError: (error) => errors.push(error) });
  await vi.advanceTimersByTimeAsync(239_000);
  expect(looks).toBe(0);
  await vi.advanceTimersByTimeAsync(61_000);
  expect([looks, errors]).toEqual([1, [new TypeError('away')]]);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(looks).toBe(2);
});

test('stops what goes on when it is disposed of, waits for it, and begins nothing more', async () => {
  const seen: string[] = [];
  const execute = (signal: AbortSignal) =>
    new Promise<Retained>((resolve) => {
      seen.push('begun');
      signal.addEventListener('abort', () => {
        seen.push('stopped');
        resolve(nothing);
      });
    });
  const every = retainEvery({ execute }, { everyMs: 1000, onError: (error) => seen.push(String(error)) });
  await vi.advanceTimersByTimeAsync(1000);
  await every[Symbol.asyncDispose]();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen).toEqual(['begun', 'stopped']);
});

test('does nothing when it is not to be done', async () => {
  const execute = vi.fn(async () => nothing);
  await using _never = retainEvery({ execute }, { everyMs: 0, onError: () => undefined });
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(execute.mock.calls).toEqual([]);
});
