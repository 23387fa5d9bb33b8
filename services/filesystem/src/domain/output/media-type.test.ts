import { expect, test } from 'vitest';
import { mediaTypeOf, sniffedBytes } from './media-type.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytes = (...values: readonly number[]) => Uint8Array.from(values);

test.each([
  ['a.png', bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0), 'image/png'],
  ['a.txt', bytes(0xff, 0xd8, 0xff, 0xe0), 'image/jpeg'],
  ['a', utf8('GIF89a'), 'image/gif'],
  ['a.md', utf8('%PDF-1.7'), 'application/pdf'],
  ['a.docx', bytes(0x50, 0x4b, 0x03, 0x04), 'application/zip'],
  ['a.gz', bytes(0x1f, 0x8b, 8), 'application/gzip'],
  ['a.json', utf8('{}'), 'application/json'],
  ['a.CSV', utf8('a,b'), 'text/csv'],
  ['a.md', utf8('# Ä'), 'text/markdown'],
  ['README', utf8('hello'), 'text/plain'],
  ['json', utf8('{}'), 'text/plain'],
  ['a.constructor', utf8('x'), 'text/plain'],
  ['empty.txt', bytes(), 'text/plain'],
  ['a.json', bytes(0x7b, 0, 0x7d), 'application/octet-stream'],
  ['a.md', bytes(0xc3, 0x28), 'application/octet-stream'],
  ['a.png', utf8('not an image'), 'text/plain'],
])('takes %s for what its bytes are', (name, head, mediaType) => {
  expect(mediaTypeOf(name, head)).toBe(mediaType);
});

test('forgives a character that the limit has cut, but not one that the file ends in', () => {
  const cut = utf8(`a${'ä'.repeat(sniffedBytes)}`).subarray(0, sniffedBytes);
  expect(mediaTypeOf('a.txt', cut)).toBe('text/plain');
  expect(mediaTypeOf('a.txt', bytes(0x61, 0xc3))).toBe('application/octet-stream');
});
