import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

test('lists the workspace by name, with sizes', async () => {
  const bench = new ToolBench();
  bench.files.put('/workspace/src/a.ts', 'x');
  bench.files.put('/workspace/readme.md', 'hello');
  expect(await bench.text('ls', {})).toBe('readme.md  5 B\nsrc/');
  expect(await bench.text('ls', { path: 'src' })).toBe('a.ts  1 B');
  expect(await bench.text('ls', { path: '/' })).toBe('inputs/\nworkspace/');
});

test.each([
  ['ls', {}, 'a  1 B'],
  ['ls', { path: '/inputs' }, '/inputs is empty.'],
  ['glob', { pattern: '*' }, '/workspace/a'],
  ['glob', { pattern: 'b' }, 'No file under /workspace matches b.'],
  ['grep', { pattern: 'b' }, 'No line matches.'],
])('%s %j says what it could not look at', async (tool, input, text) => {
  const bench = new ToolBench();
  bench.files.put('/workspace/a', 'x');
  bench.files.partialSources = ['archive', 'docs'];
  const notice = '[Without what is on archive and docs, which can not be reached at the moment.]';
  expect(await bench.text(tool, input)).toBe(`${text}\n${notice}`);
});

test('says that a directory is empty', async () => {
  expect(await new ToolBench().text('ls', {})).toBe('/workspace is empty.');
});

test('says that there is more than it shows', async () => {
  const bench = new ToolBench();
  for (let index = 0; index < 1001; index += 1) {
    bench.files.put(`/workspace/${String(index).padStart(4, '0')}`, '');
  }
  const lines = (await bench.text('ls', {})).split('\n');
  expect(lines).toHaveLength(1001);
  expect(lines.slice(-2)).toEqual(['0999  0 B', '[Only the first 1000 entries are shown. Use glob to find others.]']);
});

test('sends the model to read for a file', async () => {
  const bench = new ToolBench();
  bench.files.put('/workspace/a', '');
  expect(await bench.text('ls', { path: 'a' })).toBe('error: /workspace/a is not a directory. Use read for a file.');
});
