import { expect, test } from 'vitest';
import { failureOf } from './files-fixture.ts';
import { always, listing, page, rawDisks } from './rest-raw-fixture.ts';
import { rawAnswer } from './rest-raw-server.ts';

const unavailable = { reason: 'DISK_UNAVAILABLE', facts: { disk: 'users' } };
const against = rawDisks();
const file = (name: string) => ({ name, kind: 'file', size: 1, etag: '"e"' });

test('listings leave out names that no path leads to', async () => {
  const hostile = ['..', '.', '', '/', 'a/b', '../x', 'a\\b', 'a\u0000', 'a\nb', '\u202ea', ' a', 'a ', 'cafe\u0301'];
  const { list } = await against(page([...hostile, '\ud800', 'x'.repeat(256), 'ok'].map(file)));
  expect((await list()).entries.map(({ name }) => name)).toEqual(['ok']);
});

test('listings leave out what is neither a file nor a directory', async () => {
  const { list } = await against(
    page([
      { name: 'link', kind: 'link' },
      { name: 'd', kind: 'directory' },
    ]),
  );
  expect((await list()).entries).toEqual([{ name: 'd', node: { kind: 'directory', modifyTimeMs: undefined } }]);
});

test('listings are sorted by the bytes of their names, and cut at the limit', async () => {
  const { list } = await against(page(['😀', 'b', '\uffee', 'B', 'a'].map(file)));
  expect((await list()).entries.map(({ name }) => name)).toEqual(['B', 'a', 'b', '\uffee', '😀']);
  const cut = await list('', 2);
  expect({ names: cut.entries.map(({ name }) => name), next: cut.next }).toEqual({ names: ['B', 'a'], next: 'a' });
});

test.each([
  ['a name twice', '', ['a', 'b', 'a'], undefined],
  ['a name of the page before', 'm', ['a', 'm', 'n'], undefined],
  ['the name that it begins after', 'm', ['m'], undefined],
  ['a next page that begins where this one did', 'm', [], 'm'],
  ['a next page that begins before this one', 'm', ['n'], 'b'],
  ['a next page that leaves something out', 'm', ['n', 'p'], 'o'],
  ['a next page that begins after no name', 'm', ['n'], '\ud800'],
  ['a next page that begins after a monster', 'm', ['n'], 'x'.repeat(10_000)],
])('listings are refused with %s', async (_, after, names, next) => {
  const { list } = await against(page(names.map(file), next));
  expect(await failureOf(list(after))).toEqual(unavailable);
});

test.each([
  ['no JSON', '{"entries": ['],
  ['JSON of something else', '[]'],
  ['null', 'null'],
  ['entries that are none', '{"entries": [7]}'],
  ['a size that is none', '{"entries": [{"name": "x", "kind": "file", "size": -1, "etag": "\\"e\\""}]}'],
  ['a file without a size', '{"entries": [{"name": "x", "kind": "file", "etag": "\\"e\\""}]}'],
  ['a file without an etag', '{"entries": [{"name": "x", "kind": "file", "size": 1}]}'],
  ['nesting without end', '['.repeat(1_000_000)],
  ['nothing', ''],
])('listings are refused when they hold %s', async (_, body) => {
  const { list } = await against(always(rawAnswer(200, listing, body)));
  expect(await failureOf(list())).toEqual(unavailable);
});

test('listings are not taken from a file that holds what looks like one', async () => {
  const headers = { 'content-type': 'application/json', etag: '"e"' };
  const { list } = await against(always(rawAnswer(200, headers, JSON.stringify({ entries: [file('planted')] }))));
  expect(await failureOf(list())).toEqual(unavailable);
});
