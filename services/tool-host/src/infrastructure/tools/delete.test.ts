import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

function bench(): ToolBench {
  const made = new ToolBench();
  made.files.put('/workspace/a.txt', 'one');
  made.files.put('/workspace/sub/b.txt', 'two');
  return made;
}

test('deletes a file', async () => {
  const made = bench();
  const { result } = await made.call('delete', { path: 'a.txt' });
  expect(result).toMatchObject({ outcome: 'ok', text: 'Deleted /workspace/a.txt.' });
  expect(JSON.parse(result.structuredJson)).toEqual({ path: '/workspace/a.txt' });
  expect(made.files.under('/workspace')).toEqual(['/workspace/sub/b.txt']);
});

test('deletes a directory that is not empty only when it is asked to', async () => {
  const made = bench();
  expect(await made.text('delete', { path: 'sub' })).toBe(
    'error: /workspace/sub is not empty. Set recursive to delete it with all that is in it.',
  );
  expect(await made.text('delete', { path: 'sub', recursive: true })).toBe('Deleted /workspace/sub.');
  expect(made.files.under('/workspace')).toEqual(['/workspace/a.txt']);
});

test('deletes a file that was read only in that version', async () => {
  const made = bench();
  await made.text('read', { path: 'a.txt' });
  made.files.put('/workspace/a.txt', 'theirs');
  expect(await made.text('delete', { path: 'a.txt' })).toMatch(
    /^error: \/workspace\/a.txt has changed since it was read/,
  );
  expect(made.files.text('/workspace/a.txt')).toBe('theirs');
  await made.text('read', { path: 'a.txt' });
  expect(await made.text('delete', { path: 'a.txt' })).toBe('Deleted /workspace/a.txt.');
  expect(await made.text('write', { path: 'a.txt', content: '' })).toBe('Created /workspace/a.txt: 0 bytes.');
});

test.each([
  ['what is not there', { path: 'z' }, /^error: There is nothing at/],
  ['of a read-only mount', { path: '/inputs/a' }, /^error: \/inputs\/a can not be changed/],
])('does not delete %s', async (_, input, text) => {
  expect(await bench().text('delete', input)).toMatch(text);
});
