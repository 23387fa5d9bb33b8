import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRe2Glob } from '../../infrastructure/matching/re2-glob.ts';
import { VirtualPath } from '../path/virtual-path.ts';
import { PathPattern } from './path-pattern.ts';
import { spellingsOf } from './path-spellings.ts';

const pattern = (text: string) => PathPattern.parse(text, compileRe2Glob);
const spelled = (text: string) => spellingsOf(VirtualPath.parse(text).segments);

/** What a pattern says of a path: `=` covers it as written, `~` covers another spelling, `<` may cover something below. */
function relation(text: string, path: string): string {
  const parsed = pattern(text);
  const spellings = spelled(path);
  const isExact = parsed.coversExactly(spellings);
  return isExact ? '=' : parsed.covers(spellings) ? '~' : parsed.mayCoverWithin(spellings) ? '<' : '';
}

test.each([
  ['/', { '/': '=', '/a/b': '=' }],
  ['/**', { '/': '=', '/a/b': '=' }],
  ['/a', { '/': '<', '/a': '=', '/a/b/c': '=', '/A': '~', '/b': '', '/ab': '' }],
  ['/a/**', { '/': '<', '/a': '=', '/a/b/c': '=', '/ab': '' }],
  ['/a/*', { '/': '<', '/a': '<', '/a/b': '=', '/a/b/c': '=' }],
  ['/a/*.md', { '/a': '<', '/a/b.md': '=', '/a/b.MD': '~', '/a/b.md/c': '=', '/a/b': '', '/a/b/c.md': '' }],
  ['/a/**/b', { '/a': '<', '/a/b': '=', '/a/x': '<', '/a/x/y/b/z': '=', '/c': '' }],
  ['**/.env', { '/': '<', '/a': '<', '/.env': '=', '/a/.env': '=', '/a/.ENV/b': '~', '/a/.envx': '<' }],
  ['{a,b}/[!x]?', { '/': '<', '/a': '<', '/b/ab': '=', '/a/xb': '', '/c': '' }],
  ['README', { '/readme': '~', '/README': '=', '/Readme.': '~', '/README:x': '~' }],
  ['/\uff0a\uff0a', { '/a': '', '/\uff0a\uff0a': '=', '/**': '~' }],
  ['/what\uff1f[\uff01a].md', { '/what?!.md': '~', '/What\uff1fa.md': '~', '/whatsb.md': '', '/what?b.md': '' }],
  ['/{a\uff0cb}', { '/{a,b}': '~', '/a': '', '/{a\uff0cb}': '=' }],
] as const)('%s covers what it matches and all below: %j', (text, relations) => {
  const found = Object.keys(relations).map((path) => [path, relation(text, path)]);
  expect(Object.fromEntries(found)).toEqual(relations);
});

test.each([
  ['', 'it is empty'],
  ['\ud800', 'it is not well-formed Unicode'],
  ['a**', '** stands for whole segments: use * inside of one'],
  ['{**,a}/b', '** stands for whole segments: use * inside of one'],
  ['{a/b,c}', 'a { is not closed'],
  ['a//b', 'it has a segment that is empty, . or ..'],
  ['//a', 'it has a segment that is empty, . or ..'],
  ['a/', 'it has a segment that is empty, . or ..'],
  ['/../a', 'it has a segment that is empty, . or ..'],
  ['\u200b', 'it has an invisible character: use * in its place'],
  ['a/*\u00ad*', 'it has an invisible character: use * in its place'],
  ['\uffa0', 'it has an invisible character: use * in its place'],
  ['\u2024\u2024/a', 'it has a segment that is empty, . or ..'],
  ['[a', 'a [ is not closed'],
  ['a/'.repeat(64) + 'b', 'it has more than 64 segments'],
])('refuses %j', (text, why) => {
  expect(() => pattern(text)).toThrow(expect.objectContaining({ reason: 'PATTERN_INVALID', facts: { why } }));
});

const name = fc.constantFrom('a', 'b', 'ab', '.a');
const path = fc.array(name, { maxLength: 5 });
const glob = fc.array(fc.oneof(name, fc.constantFrom('**', '*', '?', '[ab]', '{a,b}', '*a')), {
  minLength: 1,
  maxLength: 4,
});

test('covers exactly what the whole glob matches, and below', () => {
  fc.assert(
    fc.property(glob, path, (parts, segments) => {
      // A trailing ** is left out: here it also covers the directory itself.
      fc.pre(parts.at(-1) !== '**');
      const whole = compileRe2Glob(parts.join('/'));
      const expected = segments.some((_, index) => whole.matches(segments.slice(0, index + 1).join('/')));
      expect(pattern(parts.join('/')).coversExactly(spellingsOf(segments))).toBe(expected);
    }),
    { numRuns: 5000 },
  );
});

test('may cover something within every directory above what it covers', () => {
  fc.assert(
    fc.property(glob, path, (parts, segments) => {
      const parsed = pattern(parts.join('/'));
      fc.pre(parsed.covers(spellingsOf(segments)));
      const above = segments.map((_, index) => spellingsOf(segments.slice(0, index)));
      expect(above.every((each) => parsed.mayCoverWithin(each))).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test('is quick with the deepest of patterns and paths', () => {
  const parsed = pattern(Array.from({ length: 32 }, () => '**/*a*a*b').join('/'));
  const startMs = performance.now();
  expect(parsed.covers(spellingsOf(Array.from({ length: 64 }, () => 'a'.repeat(60))))).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(500);
});
