import { expect, test } from 'vitest';
import { expandedSize } from './expanded-size.ts';
import { compileRe2LinePattern } from './re2-line-pattern.ts';

const compile = (pattern: string, ignoreCase = false) => compileRe2LinePattern(pattern, { ignoreCase });

test('finds a match anywhere in a line', () => {
  const lines = ['total: 12', 'Total', '12 total 7', ''];
  expect(lines.map((line) => compile('^total:? \\d+$').test(line))).toEqual([true, false, false, false]);
  expect(lines.map((line) => compile('total', true).test(line))).toEqual([true, true, true, false]);
  expect(compile('\\p{Greek}').test('αβγ')).toBe(true);
});

test.each([
  ['[', 'missing closing ]: `[`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['\\1', 'invalid escape sequence: `\\1`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  [`(${'ab'.repeat(100)}){1000}`, 'its repetitions make it too large'],
  ['a{999}b{999}'.repeat(73), 'its repetitions make it too large'],
  ['((a{20}){20}){20}', 'its repetitions make it too large'],
])('refuses %s', (pattern, why) => {
  expect(() => compile(pattern)).toThrow(expect.objectContaining({ reason: 'PATTERN_INVALID', facts: { why } }));
});

test.each([
  ['abc', 3],
  ['a{10}', 10],
  ['(ab){10}', 30],
  ['((a{2}){3}){4}', 40],
  ['[a-z0-9]{8}\\d{4}', 12],
  ['[{3}]\\{3}', 4],
  ['a{2,5}b{3,}', 8],
  ['(((', 0],
])('counts the instructions of %s as about %d', (pattern, size) => {
  expect(expandedSize(pattern)).toBe(size);
});

test('searches a long line when the pattern is quick on it', () => {
  const line = `${'x'.repeat(500_000)} needle`;
  expect(compile('needle$').test(line)).toBe(true);
  expect(compile('(x+x+)+y').test(line)).toBe(false);
});

test('gives up on a line that would hold up everybody else', () => {
  let seed = 1;
  const line = Array.from({ length: 100_000 }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return 'abcdefghij'[Math.floor((seed / 2 ** 32) * 10)];
  }).join('');
  const startMs = performance.now();
  expect(compile('(?:\\w{0,100}a\\w{0,100})[12]').test(line)).toBeUndefined();
  // Searched to its end it takes five seconds.
  expect(performance.now() - startMs).toBeLessThan(500);
});
