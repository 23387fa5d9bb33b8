import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExactSearch } from './exact-search.ts';

test('finds what a naive search finds, in blocks of any size', () => {
  const few = (maxLength: number, minLength = 0) => fc.uint8Array({ max: 2, minLength, maxLength });
  fc.assert(
    fc.property(few(60), few(5, 1), fc.integer({ min: 1, max: 7 }), (text, needle, blockLength) => {
      const search = new ExactSearch(needle);
      const found: number[] = [];
      for (let offset = 0; offset < text.length; offset += blockLength) {
        found.push(...search.feed(text.subarray(offset, offset + blockLength)));
      }
      const naive = Array.from(text.keys()).filter((start) =>
        needle.every((byte, index) => text[start + index] === byte),
      );
      expect(found).toEqual(naive);
    }),
    { numRuns: 2000 },
  );
});

test('takes time linear in text and needle', () => {
  const text = new Uint8Array(4 * 1024 * 1024).fill(97);
  const needle = new Uint8Array(1024 * 1024).fill(97);
  needle[0] = 98;
  const search = new ExactSearch(needle);
  expect(search.feed(text)).toEqual([]);
});
