import { expect, test } from 'vitest';
import { CommandOutput } from './command-output.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function collect(chunks: readonly Uint8Array[], isCut = false) {
  const told: string[] = [];
  using output = new CommandOutput((text) => told.push(text));
  chunks.forEach((chunk) => output.add('stdout', chunk));
  return { ...output.end(isCut), told };
}

test('keeps what is short as it is, and tells it together', () => {
  expect(collect([bytes('a'), bytes('ß\n'), bytes('c')])).toEqual({ text: 'aß\nc', notices: [], told: ['aß\nc'] });
});

test('keeps one megabyte of each end of what is long', () => {
  const chunk = bytes('0123456789abcdef'.repeat(4096));
  const { text } = collect([bytes('begin'), ...Array.from({ length: 160 }, () => chunk), bytes('end')]);
  const [head = '', gap = '', tail = ''] = text.split('\n');
  const mib = 1024 * 1024;
  expect([head.length, tail.length, head.slice(0, 6), tail.slice(-4)]).toEqual([mib, mib, 'begin0', 'fend']);
  expect(gap).toBe(`[… ${160 * 65_536 + 8 - 2 * mib} characters are left out here …]`);
});

test('tells the end only of what comes faster than it is told', () => {
  const { told } = collect([bytes('a'.repeat(100_000)), bytes('b'.repeat(60_000))]);
  expect(told).toEqual([`${'a'.repeat(5536)}${'b'.repeat(60_000)}`]);
});

test.each([
  ['a zero byte', [new Uint8Array([97, 0])], false, { text: '', notices: ['stdout: binary, 2 bytes'] }],
  [
    'bytes of no text',
    [bytes('ok\n'), new Uint8Array([0xff, 0xfe])],
    false,
    { text: 'ok\n', notices: ['stdout: binary, 5 bytes'] },
  ],
  [
    'half a character at its end',
    [bytes('ä').subarray(0, 1)],
    false,
    { text: '', notices: ['stdout: binary, 1 bytes'] },
  ],
  ['half a character where it was killed', [bytes('xä').subarray(0, 2)], true, { text: 'x', notices: [] }],
])('shows no characters of %s', (_, chunks, isCut, expected) => {
  expect(collect(chunks, isCut)).toMatchObject(expected);
});
