import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareNames } from '../src/domain/path/name-order.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, failureOf, never, utf8 } from './files-fixture.ts';
import { type ObjectStoreUnderTest, objectStore, rootPrefix } from './object-fixture.ts';

const at = (text: string) => VirtualPath.parse(text);

let under: ObjectStoreUnderTest;
beforeEach(async () => {
  under = await objectStore();
});
afterEach(() => under[Symbol.asyncDispose]());

/** Names of a directory, those of directories with a slash, page by page. */
async function namesIn(path: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const request = { after, limit, withEtags: false };
    const page = await under.store.list(ada, at(path), request, never);
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    found.push(...page.entries.map(({ name, node }) => (node.kind === 'file' ? name : `${name}/`)));
    after = page.next;
  }
  return found;
}

function plantAll(entries: readonly string[]): string[] {
  for (const entry of entries) {
    under.stub.plant(`${rootPrefix}d/${entry}${entry.endsWith('/') ? 'inner' : ''}`, 'x');
  }
  return entries.toSorted((left, right) => compareNames(left.replace('/', ''), right.replace('/', '')));
}

test('puts directories where their names belong, although their keys come later', async () => {
  const sorted = plantAll(['a/', 'a.txt', 'a-b', 'a-b.txt', 'a!', 'a0', 'ab/', 'a b/', 'a b.c/', 'b']);
  expect(sorted.slice(0, 3)).toEqual(['a/', 'a b/', 'a b.c/']);
  for (const limit of [1, 2, 3, 100]) {
    expect(await namesIn('/d', limit)).toEqual(sorted);
  }
});

test('lists thousands of entries in pages, of which the store reads a few of its own', async () => {
  const files = Array.from({ length: 2600 }, (_, index) => `part-${String(index).padStart(5, '0')}.txt`);
  const directories = Array.from({ length: 1300 }, (_, index) => `part-${String(index * 2).padStart(5, '0')}/`);
  const sorted = plantAll([...files, ...directories, 'part/', 'a/', 'z']);
  expect(await namesIn('/d', 1000)).toEqual(sorted);
  const before = under.stub.log.length;
  const first = await under.store.list(ada, at('/d'), { after: '', limit: 50, withEtags: false }, never);
  expect(first.entries.map(({ name }) => name)).toEqual(sorted.slice(0, 50).map((name) => name.replace('/', '')));
  expect(first.entries[1]).toMatchObject({ name: 'part', node: { kind: 'directory' } });
  expect(under.stub.log.slice(before).filter(({ isListing }) => isListing).length).toBeLessThan(12);
});

test('lists like a sorted list whatever the names are', async () => {
  const letters = ['a', 'b', '-', '.', ' ', '!', '0', '~', 'é', '😀', '\uffee'];
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const names = new Set<string>();
  while (names.size < 700) {
    const name = Array.from({ length: 1 + random(5) }, () => letters[random(letters.length)]).join('');
    if (at('/').entry(name) !== undefined) {
      names.add(name);
    }
  }
  const sorted = plantAll([...names].map((name, index) => (index % 3 === 0 ? `${name}/` : name)));
  for (const limit of [7, 100, 333]) {
    expect(await namesIn('/d', limit)).toEqual(sorted);
  }
});

test('shows the file where others have made a file and a directory of one name', async () => {
  plantAll(['both', 'both/', 'both.txt']);
  expect(await namesIn('/d', 1)).toEqual(['both', 'both.txt']);
  expect(await under.store.stat(ada, at('/d/both'), never)).toMatchObject({ kind: 'file' });
  expect(await failureOf(under.store.write(ada, at('/d/both'), utf8('x'), {}, never))).toMatchObject({
    reason: 'NOT_A_FILE',
  });
});

test('leaves out keys that no path leads to, and neither removes nor moves what is around them', async () => {
  const huge = 'k'.repeat(256);
  const odd = ['..', '../x', './x', '/x', 'a\u0001b', 'tab\t', ' edge', 'back\\slash', 'e\u0301', '\u202e', huge];
  odd.forEach((key) => under.stub.plant(`${rootPrefix}d/${key}`, 'odd'));
  under.stub.plant(`${rootPrefix}d/x`, 'x');
  under.stub.plant(`${rootPrefix}x`, 'beside');
  const before = [...under.stub.objects.keys()];
  expect(await namesIn('/d', 2)).toEqual(['x']);
  const notEmpty = { reason: 'DIRECTORY_NOT_EMPTY', facts: { path: '/d' } };
  const { store } = under;
  expect(await failureOf(store.remove(ada, at('/d'), { isRecursive: false }, never))).toEqual(notEmpty);
  expect(await failureOf(store.remove(ada, at('/d'), { isRecursive: true }, never))).toEqual(notEmpty);
  expect(await failureOf(store.rename(ada, at('/d'), at('/e'), never))).toEqual(notEmpty);
  expect([...under.stub.objects.keys()]).toEqual(before);
});

test('moves and removes a directory of more keys than a page has', async () => {
  plantAll(Array.from({ length: 1100 }, (_, index) => `s${index % 11}/f${index}`));
  await under.store.makeDirectory(ada, at('/d/empty'), never);
  await under.store.rename(ada, at('/d'), at('/moved/here'), never);
  expect(await under.store.stat(ada, at('/d'), never)).toBeUndefined();
  expect(await under.store.stat(ada, at('/moved/here/empty'), never)).toMatchObject({ kind: 'directory' });
  expect(under.stub.objects.size).toBe(1100 + 2);
  await under.store.remove(ada, at('/moved'), { isRecursive: true }, never);
  expect([...under.stub.objects.keys()]).toEqual([]);
});
