import { expect, test } from 'vitest';
import { readAhead } from './read-ahead.ts';

async function* from(items: readonly number[]) {
  yield* items;
}

test('begins with what follows, and keeps the order', async () => {
  const begun: number[] = [];
  const seen: string[] = [];
  const begin = (item: number) => {
    begun.push(item);
    return item === 3 ? undefined : Promise.resolve(item * 10);
  };
  for await (const { item, begun: result } of readAhead(from([1, 2, 3, 4, 5]), 3, begin)) {
    seen.push(`${item} ${await result} of ${begun.length}`);
  }
  expect(seen).toEqual(['1 10 of 3', '2 20 of 4', '3 undefined of 5', '4 40 of 5', '5 50 of 5']);
});

test('tells a failure when its turn has come, and nobody when it never does', async () => {
  const begin = (item: number) => (item > 1 ? Promise.reject(new Error(`no ${item}`)) : Promise.resolve(item));
  const seen: unknown[] = [];
  for await (const { begun } of readAhead(from([1, 2, 3, 4]), 4, begin)) {
    seen.push(await begun?.catch((error: unknown) => String(error)));
    if (seen.length === 2) {
      break;
    }
  }
  expect(seen).toEqual([1, 'Error: no 2']);
});

test('has no items for none', async () => {
  const all = await Array.fromAsync(readAhead(from([]), 4, () => Promise.resolve(1)));
  expect(all).toEqual([]);
});
