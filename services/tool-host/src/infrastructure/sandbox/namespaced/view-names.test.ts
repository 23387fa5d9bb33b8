import { expect, test } from 'vitest';
import { decodeName, foldersAbove, isViewName, isWithin } from './view-names.ts';

test.each(['a', '-rf', '...', '..a', '$(id)', 'caf\u00e9', "it's", '~', 'a b'])('takes %j as a name', (name) => {
  expect(isViewName(name)).toBe(true);
});

test.each(['', '.', '..', 'a/b', 'a\\b', 'a\nb', ' a', 'a ', 'cafe\u0301', '\ud800', 'a\u202eb', 'a\u2028b', 'a\0b'])(
  'does not take %j as a name',
  (name) => {
    expect(isViewName(name)).toBe(false);
  },
);

test('decodes names that are UTF-8, and no others', () => {
  const encoder = new TextEncoder();
  expect(['é', '\ufeffa'].map((name) => decodeName(encoder.encode(name)))).toEqual(['é', '\ufeffa']);
  expect(decodeName(Uint8Array.of(0xff, 0xfe))).toBeUndefined();
});

test('tells folders apart by whole segments', () => {
  expect([isWithin('/a/b', '/a'), isWithin('/a', '/a'), isWithin('/ab', '/a'), isWithin('/a', '/')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect(foldersAbove('/a/b/c')).toEqual(['/a', '/a/b']);
  expect(foldersAbove('/a')).toEqual([]);
});
