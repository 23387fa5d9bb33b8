import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sealedPageTokens } from './sealed-page-tokens.ts';

test('opens what it has sealed, and the first page without a token', () => {
  const token = sealedPageTokens.seal('list v /a', 'naïve 😀.txt');
  expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(sealedPageTokens.open('list v /a', token)).toBe('naïve 😀.txt');
  expect(sealedPageTokens.open('list v /a', '')).toBe('');
});

const invalid = expect.objectContaining({ kind: 'invalid', reason: 'INVALID_PAGE_TOKEN' });

test('refuses a token of another query', () => {
  const token = sealedPageTokens.seal('list v /a', 'x');
  expect(() => sealedPageTokens.open('list v /b', token)).toThrow(invalid);
});

test('refuses a token with any bit flipped, cut or lengthened', () => {
  const token = sealedPageTokens.seal('q', 'some name');
  for (let index = 0; index < token.length; index += 1) {
    for (let bit = 0; bit < 7; bit += 1) {
      const flipped = String.fromCharCode(token.charCodeAt(index) ^ (1 << bit));
      const damaged = token.slice(0, index) + flipped + token.slice(index + 1);
      expect(() => sealedPageTokens.open('q', damaged)).toThrow(invalid);
    }
    expect(() => sealedPageTokens.open('q', token.slice(0, index) || 'x')).toThrow(invalid);
  }
  for (const more of ['=', '==', 'A', ' ', '\n']) {
    expect(() => sealedPageTokens.open('q', token + more)).toThrow(invalid);
  }
});

test('refuses whatever it has not made', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (token) => {
      expect(() => sealedPageTokens.open('q', token)).toThrow(invalid);
    }),
  );
});
