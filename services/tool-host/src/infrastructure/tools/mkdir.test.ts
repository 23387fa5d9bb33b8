import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

test('makes a directory and those above it, and is fine with one that is there', async () => {
  const bench = new ToolBench();
  const { result } = await bench.call('mkdir', { path: 'a/b' });
  expect(result).toMatchObject({ outcome: 'ok', text: 'The directory /workspace/a/b is there.' });
  expect(JSON.parse(result.structuredJson)).toEqual({ path: '/workspace/a/b' });
  expect(await bench.text('ls', { path: 'a' })).toBe('b/');
  expect(await bench.text('mkdir', { path: 'a/b' })).toBe('The directory /workspace/a/b is there.');
});

test.each([
  ['where a file is', 'f', /^error: \/workspace\/f is not a directory/],
  ['in a read-only mount', '/inputs/a', /^error: \/inputs\/a can not be changed/],
])('makes none %s', async (_, path, text) => {
  const bench = new ToolBench();
  bench.files.put('/workspace/f', '');
  expect(await bench.text('mkdir', { path })).toMatch(text);
});
