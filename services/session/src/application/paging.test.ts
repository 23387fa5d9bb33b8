import { describe, expect, test } from 'vitest';
import { HmacPageTokens } from '../infrastructure/hmac-page-tokens.ts';
import { readPage } from './paging.ts';
import { sizeGroups } from './size-groups.ts';

const tokens = new HmacPageTokens('key of the test');
const numbers = Array.from({ length: 450 }, (_, n) => n + 1);

function read(page: { size?: number; token?: string }, scope = ['numbers'], bytesOf?: (item: number) => number) {
  return readPage(
    tokens,
    scope,
    { size: 0, token: '', ...page },
    {
      read: async (after, limit) => numbers.filter((n) => n > Number(after?.[0] ?? 0)).slice(0, limit),
      cursorOf: (n) => [n],
      ...(bytesOf === undefined ? {} : { bytesOf }),
    },
  );
}

async function readAll(size: number, bytesOf?: (item: number) => number) {
  const lengths: number[] = [];
  const all: number[] = [];
  for (let token: string | undefined; token !== ''; ) {
    const page = await read({ size, token: token ?? '' }, ['numbers'], bytesOf);
    lengths.push(page.items.length);
    all.push(...page.items);
    token = page.nextToken;
  }
  return { lengths, all };
}

describe('a page', () => {
  test.each([
    [0, 50],
    [1, 1],
    [200, 200],
    [201, 200],
    [2 ** 31 - 1, 200],
  ])('of size %d has %d items', async (size, length) => {
    expect((await read({ size })).items).toEqual(numbers.slice(0, length));
  });

  test.each([1, 7, 150, 200])('of size %d is followed by the next, until all are read once', async (size) => {
    const { all, lengths } = await readAll(size);
    expect(all).toEqual(numbers);
    expect(lengths).toHaveLength(Math.ceil(numbers.length / size));
  });

  test('that is the last one has no token, also when it is full', async () => {
    const { nextToken } = await read({ size: 200, token: tokens.sign(['numbers'], [250]) });
    expect(nextToken).toBe('');
  });

  test('of large items is shorter, and nothing is left out', async () => {
    const { all, lengths } = await readAll(50, () => 400_000);
    expect(all).toEqual(numbers);
    expect(new Set(lengths)).toEqual(new Set([2]));
    expect((await readAll(50, () => 9_000_000)).lengths).toHaveLength(numbers.length);
  });

  test('is refused with the token of another list', async () => {
    const { nextToken } = await read({ size: 1 });
    await expect(read({ token: nextToken }, ['letters'])).rejects.toMatchObject({ reason: 'INVALID_PAGE_TOKEN' });
  });

  test('of nothing is empty', async () => {
    const list = { read: async () => [], cursorOf: () => [] };
    expect(await readPage(tokens, [], { size: 0, token: '' }, list)).toEqual({ items: [], nextToken: '' });
  });
});

describe('groups by size', () => {
  const mib = 1024 * 1024;
  const groups = (...sizes: readonly number[]) => [...sizeGroups(sizes, (size) => size)];

  test('keep what fits together, in order', () => {
    expect(groups()).toEqual([]);
    expect(groups(1, 2, 3)).toEqual([[1, 2, 3]]);
    expect(groups(mib - 1, 1, 1)).toEqual([[mib - 1, 1], [1]]);
    expect(groups(5 * mib)).toEqual([[5 * mib]]);
    expect(groups(1, 5 * mib, 1)).toEqual([[1], [5 * mib], [1]]);
  });
});
