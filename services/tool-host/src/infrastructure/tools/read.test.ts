import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

function benchWith(content: string | Uint8Array): ToolBench {
  const bench = new ToolBench();
  bench.files.put('/workspace/a.txt', content);
  return bench;
}

test.each([
  ['numbered lines', 'one\ntwo\n', {}, '1\tone\n2\ttwo'],
  ['a last line without an end', 'one\n\ntwo', {}, '1\tone\n2\t\n3\ttwo'],
  ['from an offset', 'one\ntwo\nthree\n', { offset: 2 }, '2\ttwo\n3\tthree'],
  ['how to read on', 'one\ntwo\nthree\n', { limit: 2 }, '1\tone\n2\ttwo\n[Lines 1 to 2 of 3. Read on with offset 3.]'],
  ['the last lines', 'one\ntwo\nthree\n', { offset: 3, limit: 5 }, '3\tthree'],
  ['an empty file', '', {}, '[The file is empty.]'],
  ['a file of one line end', '\n', {}, '1\t'],
  ['other alphabets', 'é\u{1f600}\n', {}, '1\té\u{1f600}'],
  ['line ends of Windows', 'one\r\ntwo\r\n', {}, '1\tone\n2\ttwo\n[Lines end in \\r\\n; only \\n is shown.]'],
  ['text without its byte order mark', '\ufeffone', {}, '1\tone'],
])('shows %s', async (_, content, window, text) => {
  expect(await benchWith(content).text('read', { path: 'a.txt', ...window })).toBe(text);
});

test.each([
  ['a NUL', new Uint8Array([65, 0, 66])],
  ['bytes that are not UTF-8', new Uint8Array([0xff, 0xfe, 0xfd])],
  ['half a character at its end', new Uint8Array([65, 66, 0xc3])],
])('shows only the size of a file with %s', async (_, content) => {
  expect(await benchWith(content).text('read', { path: 'a.txt' })).toBe('binary, 3 bytes');
});

test('shows 2,000 characters of a line, and how long it is', async () => {
  const text = await benchWith(`${'x'.repeat(2000)}\n${'y'.repeat(2001)}\n${'z'.repeat(1999)}\u{1f600}`).text('read', {
    path: 'a.txt',
  });
  expect(text.split('\n')).toEqual([
    `1\t${'x'.repeat(2000)}`,
    `2\t${'y'.repeat(2000)}… [line cut: 2000 of 2001 characters]`,
    `3\t${'z'.repeat(1999)}… [line cut: 2000 of 2001 characters]`,
  ]);
});

test('shows 2,000 lines at once, and the rest when asked', async () => {
  const bench = benchWith('x\n'.repeat(4100));
  const first = (await bench.text('read', { path: 'a.txt' })).split('\n');
  expect(first).toHaveLength(2001);
  expect(first.at(-1)).toBe('[Lines 1 to 2000 of 4100. Read on with offset 2001.]');
  const last = (await bench.text('read', { path: 'a.txt', offset: 4001 })).split('\n');
  expect([last.length, last[0], last.at(-1)]).toEqual([100, '4001\tx', '4100\tx']);
});

test('keeps within the bytes of a result, so that the notice tells where to read on', async () => {
  const bench = benchWith(`${'x'.repeat(1000)}\n`.repeat(100));
  const lines = (await bench.text('read', { path: 'a.txt' })).split('\n');
  expect(lines.at(-1)).toBe('[Lines 1 to 51 of 100. Read on with offset 52.]');
  expect((await bench.text('read', { path: 'a.txt', offset: 52 })).split('\n').at(-1)).toBe(`100\t${'x'.repeat(1000)}`);
});

test('reads a long file piece by piece, without splitting characters, and tells how far it is', async () => {
  const line = `${'é'.repeat(50)}x\n`;
  const count = 40_000;
  const { frames, result } = await benchWith(line.repeat(count)).call('read', { path: 'a.txt', offset: count });
  expect(result.text).toBe(`${count}\t${line.trimEnd()}`);
  const total = count * 102;
  expect(frames.flatMap((frame) => (frame.type === 'progress' ? [frame.progress.total] : []))).toEqual([
    total,
    total,
    total,
  ]);
});

test('reads no further than what it shows', async () => {
  const bench = benchWith('x\n'.repeat(2_000_000));
  const text = await bench.text('read', { path: 'a.txt', limit: 1 });
  expect(text).toBe('1\tx\n[Lines 1 to 1 of more. Read on with offset 2.]');
  expect(bench.files.calls).toHaveLength(1);
});

test.each([
  ['an offset beyond the end', { path: 'a.txt', offset: 9 }, 'has 2 lines: there is no line 9'],
  ['a directory', { path: '.' }, '/workspace is not a file. Use ls for a directory.'],
  ['a limit over 2,000', { path: 'a.txt', limit: 2001 }, 'limit (position 16)'],
])('refuses %s', async (_, input, text) => {
  const { result } = await benchWith('one\ntwo').call('read', input);
  expect(result).toMatchObject({ outcome: 'error', text: expect.stringContaining(text) });
});
