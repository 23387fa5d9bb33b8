import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

function bench(): ToolBench {
  const made = new ToolBench();
  made.files.put('/workspace/a.ts', 'one\ntwo\nthree\nfour\nfive\nTwo again\nseven\n');
  made.files.put('/workspace/src/b.md', 'two');
  made.files.put('/workspace/c.bin', new Uint8Array([0, 1]));
  return made;
}

const skipped = '[Files skipped, binary or too large: 1.]';

test.each([
  ['lines with their numbers', { pattern: 'tw' }, `/workspace/a.ts\n2: two\n\n/workspace/src/b.md\n1: two\n${skipped}`],
  ['either case', { pattern: 'two', ignore_case: true, path: 'a.ts' }, '/workspace/a.ts\n2: two\n--\n6: Two again'],
  [
    'the lines around, each once',
    { pattern: 't(wo|hree)$', context_lines: 1, path: 'a.ts' },
    '/workspace/a.ts\n1- one\n2: two\n3: three\n4- four',
  ],
  [
    'where lines are left out',
    { pattern: 'one|Two', context_lines: 1, path: 'a.ts' },
    '/workspace/a.ts\n1: one\n2- two\n--\n5- five\n6: Two again\n7- seven',
  ],
  ['only some files', { pattern: 'two', include: '**/*.md' }, '/workspace/src/b.md\n1: two'],
  ['files', { pattern: 'two', mode: 'files' }, `/workspace/a.ts\n/workspace/src/b.md\n${skipped}`],
  [
    'counts',
    { pattern: 'o', mode: 'count' },
    `/workspace/a.ts: 4\n/workspace/src/b.md: 1\n[Matches: 5. Files: 2.]\n${skipped}`,
  ],
  ['nothing', { pattern: 'zebra' }, `No line matches.\n${skipped}`],
  ['a bad pattern', { pattern: '(' }, expect.stringMatching(/^error: The pattern can not be used: /)],
])('shows %s', async (_, input, text) => {
  expect(await bench().text('grep', input)).toEqual(text);
});

const more = '[There are more hits: refine the pattern, the path or include.]';

test('shows fifty matches and says that there are more', async () => {
  const many = new ToolBench();
  many.files.put('/workspace/a', 'x\n'.repeat(51));
  const lines = (await many.text('grep', { pattern: 'x' })).split('\n');
  expect([lines.length, lines[1], lines[50], lines[51]]).toEqual([52, '1: x', '50: x', more]);
  many.files.put('/workspace/a', 'x\n'.repeat(50));
  expect(await many.text('grep', { pattern: 'x' })).not.toContain(more);
});

test('shows fifty files, and how many there are when it counts', async () => {
  const many = new ToolBench();
  for (let index = 0; index < 51; index += 1) {
    many.files.put(`/workspace/${String(index).padStart(2, '0')}`, 'x\nx');
  }
  const files = (await many.text('grep', { pattern: 'x', mode: 'files' })).split('\n');
  expect(files.slice(-2)).toEqual(['/workspace/49', more]);
  const counts = (await many.text('grep', { pattern: 'x', mode: 'count' })).split('\n');
  expect(counts.slice(-3)).toEqual([
    '/workspace/49: 2',
    '[Matches: 102. Files: 51.]',
    '[Only the first 50 files are shown: refine.]',
  ]);
});

test('says so when it did not count everything', async () => {
  const many = new ToolBench();
  many.files.put('/workspace/a', 'x\n'.repeat(10_001));
  expect(await many.text('grep', { pattern: 'x', mode: 'count' })).toBe(
    `/workspace/a: 10000\n[Matches: 10000. Files: 1.]\n${more}`,
  );
});

test('cuts long lines', async () => {
  const long = new ToolBench();
  long.files.put('/workspace/a', 'x'.repeat(600));
  expect(await long.text('grep', { pattern: 'x' })).toBe(`/workspace/a\n1: ${'x'.repeat(500)}…`);
});
