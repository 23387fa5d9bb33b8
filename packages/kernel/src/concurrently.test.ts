import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { concurrently } from './concurrently.ts';

test('keeps the order and does no more than it may at once', async () => {
  let running = 0;
  let most = 0;
  const results = await concurrently([5, 1, 4, 2, 3, 0], 3, async (turns) => {
    running += 1;
    most = Math.max(most, running);
    for (let passed = 0; passed < turns; passed += 1) {
      await turn();
    }
    running -= 1;
    return turns * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30, 0]);
  expect(most).toBe(3);
});

test('waits for what has begun when one fails, and begins nothing more', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    await turn();
    if (item === 1) {
      throw new Error('the second');
    }
    await turn();
    ended.push(item);
  };
  await expect(concurrently([0, 1, 2, 3, 4, 5], 3, work)).rejects.toThrow('the second');
  expect(begun).toEqual([0, 1, 2]);
  expect(ended).toEqual([0, 2]);
});

test('does nothing for no items', async () => {
  expect(await concurrently([], 3, () => Promise.reject(new Error('none')))).toEqual([]);
});
