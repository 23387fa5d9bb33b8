import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UidPattern } from './uid-pattern.ts';

test.each([
  ['alice', ['alice'], ['Alice', 'alice2', 'malice', '']],
  ['*', ['alice', 'org/alice', 'a*b', ''], []],
  ['guest-*', ['guest-', 'guest-7', 'guest-a/b'], ['guest', 'my-guest-7']],
  ['*@acme.example', ['a@acme.example'], ['a@acme.example.evil', 'a@acmeXexample']],
  ['a*b*c', ['abc', 'a-b-c', 'abbcc'], ['ab', 'ac', 'acb', 'abcd']],
  ['aba*aba', ['abaaba', 'aba-aba'], ['ababa', 'aba']],
  ['a**b', ['ab', 'axb'], ['a']],
  ['*ab*ab*', ['abab', 'xabxabx'], ['ab', 'aab']],
  ['[a]?{b}', ['[a]?{b}'], ['a?b', 'axb']],
])('%s means %j and not %j', (pattern, good, bad) => {
  const matches = (uid: string) => new UidPattern(pattern).matches(uid);
  expect(good.filter((uid) => !matches(uid))).toEqual([]);
  expect(bad.filter(matches)).toEqual([]);
});

test('means what a regular expression of it means', () => {
  const text = (characters: string) => fc.string({ unit: fc.constantFrom(...Array.from(characters)), maxLength: 8 });
  fc.assert(
    fc.property(text('ab*'), text('ab'), (pattern, uid) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
      expect(new UidPattern(pattern).matches(uid)).toBe(expression.test(uid));
    }),
    { numRuns: 3000 },
  );
});
