import { expect, test } from 'vitest';
import { defaultToolLimits } from '../domain/tool/tool.ts';
import { boundOutput } from './bound-output.ts';

const limits = { ...defaultToolLimits, outputLines: 3, outputBytes: 20 };

test.each([
  ['a\nb\nc', 'a\nb\nc'],
  ['a\nb\nc\n', 'a\nb\nc\n'],
  ['a\nb\nc\nd', 'a\nb\nc\n[Output cut: 3 of 4 lines, 5 of 7 bytes are shown. Ask for less, or for a narrower part.]'],
  ['a\n\n\n\n', 'a\n\n\n[Output cut: 2 of 4 lines, 3 of 5 bytes are shown. Ask for less, or for a narrower part.]'],
  ['€€€€€€€', '€€€€€€\n[Output cut: 1 of 1 lines, 18 of 21 bytes are shown. Ask for less, or for a narrower part.]'],
])('bounds %j', (text, bounded) => {
  expect(boundOutput({ text }, limits)).toEqual({ text: bounded, structuredJson: '' });
});

test('keeps 2,000 lines and 50 KB by default', () => {
  const long = boundOutput({ text: 'x\n'.repeat(2001) }, defaultToolLimits).text;
  expect(long).toContain('[Output cut: 2000 of 2001 lines, 3999 of 4002 bytes');
  const wide = boundOutput({ text: 'x'.repeat(51_201) }, defaultToolLimits).text;
  expect(wide).toContain('51200 of 51201 bytes');
});

test('always keeps the notice of the tool, after its own', () => {
  const { text } = boundOutput({ text: 'x'.repeat(30), notice: '[Read on with offset 3.]' }, limits);
  expect(text.split('\n')).toEqual([
    'x'.repeat(20),
    '[Output cut: 1 of 1 lines, 20 of 30 bytes are shown. Ask for less, or for a narrower part.]',
    '[Read on with offset 3.]',
  ]);
});

test('takes out colours and titles of terminals, and halves of surrogate pairs', () => {
  const text = '\u001b[1;31mred\u001b[0m \u001b]0;title\u0007x\u001b(B\ud83d';
  expect(boundOutput({ text }, defaultToolLimits).text).toBe('red x\ufffd');
  expect(boundOutput({ text: '\u001b]kept\nand \u0007' }, defaultToolLimits).text).toBe('kept\nand \u0007');
});

test('never answers nothing', () => {
  expect(boundOutput({ text: '' }, limits).text).toBe('[No output.]');
});

test('sends structured output as JSON and leaves out what is over the limit', () => {
  expect(boundOutput({ text: 'x', structured: { a: 1 } }, limits).structuredJson).toBe('{"a":1}');
  expect(boundOutput({ text: 'x', structured: 'y'.repeat(30) }, limits).structuredJson).toBe('');
});
