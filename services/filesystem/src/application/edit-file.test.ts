import { expect, test } from 'vitest';
import { ada, failureOf, filesFixture, never, viewId } from '../../tests/files-fixture.ts';
import { maxFileBytes } from '../domain/disk/file-store.ts';
import type { EditFileRequest } from './edit-file.ts';

const path = '/workspace/x';

async function editing(text: string) {
  const files = await filesFixture();
  const etag = await files.put(path, text);
  const edit = (oldText: string, newText: string, options: Partial<EditFileRequest> = {}) =>
    files.editFile.execute(
      ada,
      { viewId, path, oldText, newText, replaceAll: false, ifMatch: undefined, ...options },
      never,
    );
  return { files, edit, etag, text: () => files.text(path) };
}

test('replaces the one match and tells the new file', async () => {
  const { edit, text, files } = await editing('one two three');
  const outcome = await edit('two', '2');
  expect(await text()).toBe('one 2 three');
  const { node } = await files.stat.execute(ada, { viewId, path }, never);
  expect({ ...outcome, path: outcome.path.text }).toEqual({ path, node, replacements: 1 });
});

test.each([
  ['one', ' $& $1 $$ $`'],
  ['one', ''],
  ['ö', 'ö\u0000🚀'],
  ['\r\n', '\n'],
])('puts in %j → %j as it is', async (oldText, newText) => {
  const before = `start ${oldText} end`;
  const { edit, text } = await editing(before);
  await edit(oldText, newText);
  expect(await text()).toBe(`start ${newText} end`);
});

test('refuses no match and several, with their count, and changes nothing', async () => {
  const { edit, text } = await editing('a b a b aaa');
  expect(await failureOf(edit('c', 'x'))).toEqual({ reason: 'EDIT_NO_MATCH', facts: { path } });
  expect(await failureOf(edit('b', 'x'))).toEqual({ reason: 'EDIT_AMBIGUOUS', facts: { path, count: 2 } });
  expect(await failureOf(edit('aa', 'x'))).toEqual({ reason: 'EDIT_AMBIGUOUS', facts: { path, count: 2 } });
  expect(await failureOf(edit('\u0061\u0308', 'x'))).toMatchObject({ reason: 'EDIT_NO_MATCH' });
  expect(await failureOf(edit('x'.repeat(1000), 'x'))).toMatchObject({ reason: 'EDIT_NO_MATCH' });
  expect(await text()).toBe('a b a b aaa');
});

test('replaces all from the left, none within another', async () => {
  const { edit, text } = await editing('aaaa a aaa');
  expect((await edit('aa', 'b', { replaceAll: true })).replacements).toBe(3);
  expect(await text()).toBe('bb a ba');
  expect((await edit('b', '', { replaceAll: true })).replacements).toBe(3);
  expect(await text()).toBe(' a a');
});

test('honours if_match and does not try again then', async () => {
  const { edit, etag, text } = await editing('one');
  expect(await failureOf(edit('one', 'two', { ifMatch: 'stale' }))).toEqual({
    reason: 'ETAG_MISMATCH',
    facts: { path, etag },
  });
  await edit('one', 'two', { ifMatch: etag });
  expect(await text()).toBe('two');
});

test('refuses what is no file, and what would become too large before it is made', async () => {
  const { edit, files } = await editing('a'.repeat(100_000));
  const huge = edit('a', 'b'.repeat(100_000), { replaceAll: true });
  expect(await failureOf(huge)).toEqual({ reason: 'FILE_TOO_LARGE', facts: { path, limit_bytes: maxFileBytes } });
  expect(await failureOf(edit('a', 'b', { path: '/workspace' }))).toMatchObject({ reason: 'NOT_A_FILE' });
  expect(await failureOf(edit('a', 'b', { path: '/workspace/none' }))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  expect(await failureOf(edit('a', 'b', { path: '/library/x' }))).toMatchObject({ reason: 'MOUNT_READ_ONLY' });
  expect(await files.text(path)).toHaveLength(100_000);
});

test('fills a file to exactly the limit', async () => {
  const { edit, files } = await editing(`x${'a'.repeat(maxFileBytes - 2)}y`);
  expect((await edit('x', 'y')).node.size).toBe(maxFileBytes);
  expect(await failureOf(edit('a', 'aa', { replaceAll: true }))).toMatchObject({ reason: 'FILE_TOO_LARGE' });
  expect((await edit('a', 'b', { replaceAll: true })).replacements).toBe(maxFileBytes - 2);
  expect((await files.text(path)).slice(0, 3)).toBe('ybb');
});

test('loses none of 50 concurrent edits', async () => {
  const lines = Array.from({ length: 50 }, (_, index) => `<${index}>`);
  const { edit, text } = await editing(lines.join('\n'));
  await Promise.all(lines.map((line, index) => edit(line, `done ${index}`)));
  expect(await text()).toBe(lines.map((_, index) => `done ${index}`).join('\n'));
});

test('edits text in the middle of bytes that are no text', async () => {
  const { files, edit } = await editing('');
  const data = Uint8Array.from([0xff, 0xfe, 0x61, 0x62, 0xff]);
  await files.writeFile.execute(ada, { viewId, path, data }, never);
  await edit('ab', 'c');
  const read = await files.readFile.execute(ada, { viewId, path, offset: 0, length: 0 }, never);
  expect([...read.data]).toEqual([0xff, 0xfe, 0x63, 0xff]);
});
