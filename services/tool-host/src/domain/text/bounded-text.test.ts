import { expect, test } from 'vitest';
import { clipBytes, clipText, utf8Length } from './bounded-text.ts';

const texts = ['', 'plain', 'é', '€uro', '\u{1f600}\u{1f600}', 'a\ud83d', '\ude00b', 'mix é € \u{1f600} end'];

test.each(texts)('counts the bytes of %j as they are sent', (text) => {
  expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
});

test.each(texts)('keeps the longest head of %j that fits, in whole characters', (text) => {
  for (let maxBytes = 0; maxBytes <= utf8Length(text) + 1; maxBytes += 1) {
    const heads = Array.from({ length: text.length + 1 }, (_, end) => clipText(text, end));
    const fitting = heads.filter((head) => utf8Length(head) <= maxBytes);
    expect(clipBytes(text, maxBytes)).toBe(fitting.at(-1));
  }
});

test('does not split a surrogate pair', () => {
  expect(clipText('a\u{1f600}b', 2)).toBe('a');
  expect(clipText('a\u{1f600}b', 3)).toBe('a\u{1f600}');
  expect(clipText('ab', 9)).toBe('ab');
});
