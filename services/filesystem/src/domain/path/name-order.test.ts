import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareNames } from './name-order.ts';

test('orders names as the bytes of their UTF-8 are ordered', () => {
  const wellFormed = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(wellFormed, wellFormed, (left, right) => {
      expect(Math.sign(compareNames(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
    }),
    { numRuns: 2000 },
  );
});

test('puts what lies beyond U+FFFF last', () => {
  expect(['😀', '\uffee', 'z', 'a', 'B'].toSorted(compareNames)).toEqual(['B', 'a', 'z', '\uffee', '😀']);
});
