import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

function bench(): ToolBench {
  const made = new ToolBench();
  ['/workspace/a.ts', '/workspace/src/b.ts', '/workspace/src/c.md', '/inputs/d.ts'].forEach((path) =>
    made.files.put(path, ''),
  );
  return made;
}

test.each([
  ['the newest first', { pattern: '**/*.ts' }, '/workspace/src/b.ts\n/workspace/a.ts'],
  ['in a directory', { pattern: '*', path: 'src' }, '/workspace/src/c.md\n/workspace/src/b.ts'],
  ['by an absolute pattern', { pattern: '/inputs/*.ts', path: 'src' }, '/inputs/d.ts'],
  ['nothing', { pattern: '*.py' }, 'No file under /workspace matches *.py.'],
])('finds %s', async (_, input, text) => {
  expect(await bench().text('glob', input)).toBe(text);
});

test('shows at most a hundred', async () => {
  const many = new ToolBench();
  for (let index = 0; index < 101; index += 1) {
    many.files.put(`/workspace/${index}.ts`, '');
  }
  const lines = (await many.text('glob', { pattern: '*' })).split('\n');
  expect([lines.length, lines[0], lines[99]]).toEqual([101, '/workspace/100.ts', '/workspace/1.ts']);
  expect(lines[100]).toBe('[More files match; the 100 newest are shown. Refine the pattern or the path.]');
});
