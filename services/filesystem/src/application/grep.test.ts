import { expect, test } from 'vitest';
import { ada, failureOf, filesFixture, never, utf8, viewId } from '../../tests/files-fixture.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { GrepEvent } from './grep.ts';

const lines = (events: readonly GrepEvent[]) =>
  events.flatMap((event) =>
    event.type === 'match' ? [`${event.match.path.text}:${event.match.line}:${event.match.text}`] : [],
  );
const summary = (events: readonly GrepEvent[]) => {
  const last = events.at(-1);
  return last?.type === 'summary' ? last.summary : undefined;
};

async function fixture() {
  const files = await filesFixture();
  await files.put('/workspace/a.txt', 'Total: 1\nnothing\ntotal: 2\n');
  await files.put('/workspace/a/b.md', 'a total\r\nof 3\r\n');
  await files.put('/workspace/a-b.txt', 'no match here');
  await files.disks.get('books')?.write(ada, VirtualPath.parse('/book.md'), utf8('the total'), {}, never);
  return files;
}

test('finds lines over all mounts in byte order of paths', async () => {
  const files = await fixture();
  const events = await files.search('total');
  expect(lines(events)).toEqual([
    '/library/book.md:1:the total',
    '/workspace/a.txt:3:total: 2',
    '/workspace/a/b.md:1:a total',
  ]);
  expect(summary(events)).toEqual({ filesSearched: 4, filesSkipped: 0, isTruncated: false, partialSources: [] });
});

test('searches one file, ignores case, includes by pattern', async () => {
  const files = await fixture();
  expect(lines(await files.search('TOTAL', { path: '/workspace/a.txt', ignoreCase: true }))).toHaveLength(2);
  expect(lines(await files.search('total', { path: '/workspace', include: '**/*.md' }))).toEqual([
    '/workspace/a/b.md:1:a total',
  ]);
  expect(lines(await files.search('total', { path: '/workspace', include: '*.md' }))).toEqual([]);
  expect(lines(await files.search('total', { path: '/workspace/a.txt', include: '*.txt' }))).toHaveLength(1);
  expect(summary(await files.search('total', { include: '**/*.none' }))).toEqual({
    filesSearched: 0,
    filesSkipped: 0,
    isTruncated: false,
    partialSources: [],
  });
});

test('gives lines before and after, also where they overlap and at the edges', async () => {
  const files = await filesFixture();
  await files.put('/workspace/x', 'one\ntwo hit\nthree hit\nfour\nfive\nsix hit');
  const matches = (await files.search('hit', { contextLines: 2 })).flatMap((event) =>
    event.type === 'match' ? [{ ...event.match, path: event.match.path.text }] : [],
  );
  expect(matches).toEqual([
    { path: '/workspace/x', line: 2, text: 'two hit', before: ['one'], after: ['three hit', 'four'] },
    { path: '/workspace/x', line: 3, text: 'three hit', before: ['one', 'two hit'], after: ['four', 'five'] },
    { path: '/workspace/x', line: 6, text: 'six hit', before: ['four', 'five'], after: [] },
  ]);
});

test('tells when there are more matches than the limit, and only then', async () => {
  const files = await fixture();
  const cut = await files.search('total', { limit: 2 });
  expect(lines(cut)).toHaveLength(2);
  expect(summary(cut)).toEqual({ filesSearched: 4, filesSkipped: 0, isTruncated: true, partialSources: [] });
  expect(summary(await files.search('total', { limit: 3 }))?.isTruncated).toBe(false);
});

test('skips and counts binary files, and reads others whatever their encoding', async () => {
  const files = await filesFixture();
  const put = (name: string, data: Uint8Array) =>
    files.writeFile.execute(ada, { viewId, path: `/workspace/${name}`, data }, never);
  await put('binary', Uint8Array.from([...utf8('hit'), 0, ...utf8('hit')]));
  await put('latin1', Uint8Array.from([0xe4, 0x20, ...utf8('hit')]));
  await put('bom', Uint8Array.from([0xef, 0xbb, 0xbf, ...utf8('hit')]));
  const events = await files.search('hit');
  expect(lines(events)).toEqual(['/workspace/bom:1:hit', '/workspace/latin1:1:\ufffd hit']);
  expect(summary(events)).toEqual({ filesSearched: 2, filesSkipped: 1, isTruncated: false, partialSources: [] });
  expect(lines(await files.search('^hit'))).toEqual(['/workspace/bom:1:hit']);
});

test('numbers lines right over blocks, cuts long ones, keeps characters whole', async () => {
  const files = await filesFixture();
  const many = Array.from({ length: 20_000 }, (_, index) => `line ${index + 1} ä`).join('\n');
  await files.put('/workspace/many', many);
  await files.put('/workspace/long', `${'x'.repeat(1999)}😀${'y'.repeat(200_000)} needle`);
  expect(lines(await files.search('^line 19999 '))).toEqual(['/workspace/many:19999:line 19999 ä']);
  expect(lines(await files.search('needle$'))).toEqual([`/workspace/long:1:${'x'.repeat(1999)}`]);
});

test('tells what can not be searched before the first match', async () => {
  const files = await fixture();
  expect(await failureOf(files.search('('))).toMatchObject({ reason: 'PATTERN_INVALID' });
  expect(await failureOf(files.search('x', { include: '[' }))).toMatchObject({ reason: 'PATTERN_INVALID' });
  expect(await failureOf(files.search('x', { path: '/workspace/none' }))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  expect(await failureOf(files.search('x', { path: '/none' }))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
});

test('reads large files piece by piece, and again when they change in between', async () => {
  const files = await filesFixture();
  const large = `${'x'.repeat(99)}\n`.repeat(30_000);
  await files.put('/workspace/large', `${large}hit one`);
  const disk = files.disks.get('work');
  const read = disk?.read.bind(disk);
  let reads = 0;
  Object.assign(disk ?? {}, {
    read: async (...input: Parameters<NonNullable<typeof read>>) => {
      reads += 1;
      if (reads === 2) {
        await files.put('/workspace/large', `${large}hit two`);
      }
      return read?.(...input);
    },
  });
  expect(lines(await files.search('hit'))).toEqual(['/workspace/large:30001:hit two']);
  expect(reads).toBe(5);
});
