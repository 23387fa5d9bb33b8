import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CheckedFolder } from './checked-folder.ts';
import type { Folder } from './folder.ts';
import { FolderNames } from './folder-names.ts';

const signal = new AbortController().signal;
const settleMs = 2100;
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'spanwise-names-'));
});

afterEach(() => rm(root, { recursive: true }));

async function all(names: FolderNames, limit: number): Promise<string[]> {
  await using folder = await CheckedFolder.openRoot(root);
  const found: string[] = [];
  for (let after = ''; ; ) {
    const page = await names.page(folder, after, limit, signal);
    found.push(...page.names);
    if (!page.hasMore) {
      return found;
    }
    after = page.names.at(-1) ?? '';
  }
}

const write = (...names: string[]) => Promise.all(names.map((name) => writeFile(join(root, name), '')));

test('lists page by page in byte order, of whatever size the pages are', async () => {
  await write('b', 'a', '\u{1F600}', '\uFF5E', 'c', 'ab', 'B');
  const expected = ['B', 'a', 'ab', 'b', 'c', '\uFF5E', '\u{1F600}'];
  const names = new FolderNames();
  for (const limit of [1, 2, 3, 7, 100]) {
    expect(await all(names, limit)).toEqual(expected);
  }
});

test('a folder that does not change is read once for all pages after the first', async () => {
  await write('a', 'b', 'c', 'd');
  await delay(settleMs);
  const names = new FolderNames();
  expect(await all(names, 1)).toEqual(['a', 'b', 'c', 'd']);
  await using folder = await CheckedFolder.openRoot(root);
  let readings = 0;
  const counted: Folder = {
    get location() {
      readings += 1;
      return folder.location;
    },
    locationOf: (name) => folder.locationOf(name),
    enter: (name) => folder.enter(name),
    sync: () => folder.sync(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  expect(await names.page(counted, 'b', 1, signal)).toEqual({ names: ['c'], hasMore: true });
  expect(readings).toBe(0);
  await names.page(counted, '', 1, signal);
  expect(readings).toBe(1);
});

test('what is changed between two pages is seen, at once', async () => {
  await write('a', 'b', 'd');
  await delay(settleMs);
  const names = new FolderNames();
  await all(names, 1);
  await using folder = await CheckedFolder.openRoot(root);
  for (const added of ['c', 'c1', 'c2', 'c3']) {
    await write(added);
    expect((await names.page(folder, 'b', 10, signal)).names).toContain(added);
  }
  await rm(join(root, 'd'));
  expect((await names.page(folder, 'b', 10, signal)).names).toEqual(['c', 'c1', 'c2', 'c3']);
  // Even when somebody sets the clock of the folder back.
  await utimes(root, 1, 1);
  await delay(settleMs);
  await all(names, 1);
  await write('e');
  await utimes(root, 1, 1);
  expect((await names.page(folder, 'b', 10, signal)).names).toContain('e');
});
