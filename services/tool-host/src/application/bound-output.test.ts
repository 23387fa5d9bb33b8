import { defaultToolLimits } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { boundText } from './bound-output.ts';

const limits = { outputLines: 3, outputBytes: 20 };

test.each([['a\nb\nc'], ['a\nb\nc\n'], ['']])('leaves %j', (text) => {
  expect(boundText(text, limits, 'head')).toEqual({ shown: text, cut: undefined });
  expect(boundText(text, limits, 'ends')).toEqual({ shown: text, cut: undefined });
});

test.each([
  ['a\nb\nc\nd', 'a\nb\nc', { shownLines: 3, totalLines: 4, shownBytes: 5, totalBytes: 7 }],
  ['a\n\n\n\n', 'a\n\n', { shownLines: 2, totalLines: 4, shownBytes: 3, totalBytes: 5 }],
  ['€€€€€€€', '€€€€€€', { shownLines: 1, totalLines: 1, shownBytes: 18, totalBytes: 21 }],
])('keeps the head of %j', (text, shown, cut) => {
  expect(boundText(text, limits, 'head')).toEqual({ shown, cut });
});

test.each([
  ['1\n2\n3\n4\n5\n6\n', '1\n2\n[… 5 bytes are left out here …]\n5\n6\n'],
  ['x'.repeat(30), `${'x'.repeat(10)}\n[… 10 bytes are left out here …]\n${'x'.repeat(10)}`],
  ['€'.repeat(10), '€€€\n[… 12 bytes are left out here …]\n€€€'],
  ['😀'.repeat(10), '😀😀\n[… 24 bytes are left out here …]\n😀😀'],
])('keeps both ends of %j', (text, shown) => {
  expect(boundText(text, limits, 'ends').shown).toBe(shown);
});

test('keeps 2,000 lines and 50 KB by default', () => {
  expect(boundText('x\n'.repeat(2001), defaultToolLimits, 'head').cut).toMatchObject({
    shownLines: 2000,
    totalLines: 2001,
    shownBytes: 3999,
  });
  expect(boundText('x'.repeat(51_201), defaultToolLimits, 'head').cut).toMatchObject({ shownBytes: 51_200 });
});
