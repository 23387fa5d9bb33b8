import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HmacPageTokens } from './hmac-page-tokens.ts';

const tokens = new HmacPageTokens('key of the test');
const scope = ['events', 'alice', 'session'];
const refused = expect.objectContaining({ kind: 'invalid', reason: 'INVALID_PAGE_TOKEN' });

describe('a page token', () => {
  test('gives its cursor back', () => {
    const cursor = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger()));
    fc.assert(
      fc.property(cursor, fc.array(fc.string()), (values, anyScope) => {
        expect(tokens.read(anyScope, tokens.sign(anyScope, values))).toEqual(values);
      }),
    );
  });

  test('is refused when any one of its bits is another', () => {
    const bytes = Buffer.from(tokens.sign(scope, [1_800_000_000_123, 'an id']), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => tokens.read(scope, changed.toString('base64url'))).toThrow(refused);
    }
  });

  test('is refused when it is written another way, cut or longer', () => {
    const token = tokens.sign(scope, [7]);
    const forms = [
      `${token}=`,
      `${token} `,
      ` ${token}`,
      `${token}\0`,
      token.slice(0, -1),
      token.slice(1),
      `${token}AAAA`,
      token.toLowerCase(),
      token.toUpperCase(),
    ];
    for (const form of forms) {
      expect(() => tokens.read(scope, form)).toThrow(refused);
    }
  });

  test.each([
    ['another list', ['runs', 'alice', 'session']],
    ['another user', ['events', 'bob', 'session']],
    ['another session', ['events', 'alice', 'other']],
    ['a filter more', [...scope, 'run']],
    ['the same text cut elsewhere', ['events', 'alicesession', '']],
    ['the same text in one', ['events,alice,session']],
  ])('is refused for %s', (_, other) => {
    expect(() => tokens.read(other, tokens.sign(scope, [7]))).toThrow(refused);
  });

  test('is refused under another key', () => {
    expect(() => new HmacPageTokens('another').read(scope, tokens.sign(scope, [7]))).toThrow(refused);
  });

  test('is not made up', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
        ),
        (made) => {
          expect(() => tokens.read(scope, made)).toThrow(refused);
        },
      ),
    );
  });
});
