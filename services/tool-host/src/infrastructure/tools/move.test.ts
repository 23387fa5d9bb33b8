import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';
import { fileError } from '../../domain/files/file-errors.ts';

function bench(): ToolBench {
  const made = new ToolBench();
  made.files.put('/workspace/a.txt', 'one');
  made.files.put('/workspace/sub/b.txt', 'two');
  return made;
}

test('moves a file, and a directory with what is in it', async () => {
  const made = bench();
  const { result } = await made.call('move', { from: 'a.txt', to: 'new/c.txt' });
  expect(result).toMatchObject({ outcome: 'ok', text: 'Moved /workspace/a.txt to /workspace/new/c.txt.' });
  expect(JSON.parse(result.structuredJson)).toEqual({ from: '/workspace/a.txt', to: '/workspace/new/c.txt' });
  expect(await made.text('move', { from: 'sub', to: 'other' })).toBe('Moved /workspace/sub to /workspace/other.');
  expect(made.files.under('/workspace')).toEqual(['/workspace/new/c.txt', '/workspace/other/b.txt']);
});

test('takes along what was read of a file, unless it has changed since', async () => {
  const made = bench();
  await made.text('read', { path: 'a.txt' });
  await made.text('move', { from: 'a.txt', to: 'c.txt' });
  expect(await made.text('write', { path: 'c.txt', content: 'x' })).toMatch(/^Overwrote/);
  made.files.put('/workspace/c.txt', 'theirs');
  await made.text('move', { from: 'c.txt', to: 'd.txt' });
  expect(await made.text('write', { path: 'd.txt', content: 'x' })).toMatch(/has not been read/);
});

test.each([
  ['where something is', { from: 'a.txt', to: 'sub/b.txt' }, /^error: Something is at \/workspace\/sub\/b.txt already/],
  ['what is not there', { from: 'z', to: 'y' }, /^error: There is nothing at \/workspace\/z/],
  ['to a read-only mount', { from: 'a.txt', to: '/inputs/a.txt' }, /^error: \/inputs\/a.txt can not be changed/],
])('does not move %s', async (_, input, text) => {
  const made = bench();
  expect(await made.text('move', input)).toMatch(text);
  expect(made.files.under('/workspace')).toEqual(['/workspace/a.txt', '/workspace/sub/b.txt']);
});

test('says how to get a file to another disk', async () => {
  const made = bench();
  made.files.assertWritable = (path) => {
    throw fileError('CROSS_DISK', { path });
  };
  expect(await made.text('move', { from: 'a.txt', to: '/docs/a.txt' })).toBe(
    'error: That is on another disk. Read the file, write it there, and delete the old one.',
  );
});
