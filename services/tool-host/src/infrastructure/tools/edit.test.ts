import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

const path = '/workspace/a.txt';

function benchWith(content: string): ToolBench {
  const bench = new ToolBench();
  bench.files.put(path, content);
  return bench;
}

test('replaces the one match by the text as it is', async () => {
  const bench = benchWith('cost: 5');
  const { result } = await bench.call('edit', { path, old_text: '5', new_text: '$& $1 $$' });
  expect(result).toMatchObject({ outcome: 'ok', text: `Replaced 1 match in ${path}.` });
  expect(JSON.parse(result.structuredJson)).toEqual({ path, etag: 'v2', size: 14, replacements: 1 });
  expect(bench.files.text(path)).toBe('cost: $& $1 $$');
});

test('replaces every match only when asked to', async () => {
  const bench = benchWith('a a a');
  expect(await bench.text('edit', { path, old_text: 'a', new_text: 'b' })).toBe(
    `error: old_text is in ${path} 3 times. Add lines around it until it is unique, or set replace_all.`,
  );
  expect(await bench.text('edit', { path, old_text: 'a', new_text: 'b', replace_all: true })).toBe(
    `Replaced 3 matches in ${path}.`,
  );
  expect(bench.files.text(path)).toBe('b b b');
});

test.each([
  ['text that is not there', { path, old_text: 'z', new_text: '' }, /^error: old_text is not in/],
  ['a file that is not there', { path: 'b.txt', old_text: 'z', new_text: '' }, /^error: There is nothing at/],
  ['no text', { path, old_text: '', new_text: 'x' }, /old_text \(position 27\): Too small/],
  ['a read-only mount', { path: '/inputs/a', old_text: 'a', new_text: 'b' }, /^error: \/inputs\/a can not be changed/],
])('refuses %s', async (_, input, text) => {
  expect(await benchWith('one').text('edit', input)).toMatch(text);
});

test('does not edit a version other than the one that was read', async () => {
  const bench = benchWith('one');
  await bench.text('read', { path });
  bench.files.put(path, 'one two');
  expect(await bench.text('edit', { path, old_text: 'one', new_text: '1' })).toMatch(/has changed since it was read/);
  expect(bench.files.text(path)).toBe('one two');
});

test('lets a file that was read be written after it was edited, and no other', async () => {
  const bench = benchWith('one');
  await bench.text('edit', { path, old_text: 'one', new_text: 'two' });
  expect(await bench.text('write', { path, content: 'three' })).toMatch(/has not been read/);
  await bench.text('read', { path });
  await bench.text('edit', { path, old_text: 'two', new_text: 'three' });
  expect(await bench.text('write', { path, content: 'four' })).toBe(`Overwrote ${path}: 4 bytes.`);
});
