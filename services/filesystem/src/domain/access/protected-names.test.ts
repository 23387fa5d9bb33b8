import { expect, test } from 'vitest';
import { compileRe2Glob } from '../../infrastructure/matching/re2-glob.ts';
import { VirtualPath } from '../path/virtual-path.ts';
import { PathPattern } from './path-pattern.ts';
import { type ProtectedName, ProtectedNames } from './protected-names.ts';

const path = (text: string) => VirtualPath.parse(text);
const work = path('/workspace');
const name = (text: string, from: ProtectedName['from'] = 'mounts'): ProtectedName => ({
  pattern: PathPattern.parse(text, compileRe2Glob),
  from,
});
const names = new ProtectedNames([name('.git/hooks/**'), name('**/.env'), name('Straße/secret.key')]);

function outcome(act: () => void): unknown {
  try {
    act();
    return 'allowed';
  } catch (error) {
    return error;
  }
}

const change = (text: string) => outcome(() => names.assertMayChange(path(text), work));
const replace = (text: string, by = names) => outcome(() => by.assertMayReplace(path(text), work));

const refusal = (text: string, pattern: string) =>
  expect.objectContaining({ kind: 'denied', reason: 'PATH_PROTECTED', facts: { path: text, pattern } });

test('refuses a protected name and all below it, with path and pattern', () => {
  const cases = [
    ['/workspace/.git/hooks', '.git/hooks/**'],
    ['/workspace/.git/hooks/pre-commit', '.git/hooks/**'],
    ['/workspace/.git/hooks/a/b/c', '.git/hooks/**'],
    ['/workspace/.env', '**/.env'],
    ['/workspace/a/b/.env', '**/.env'],
    ['/workspace/a/.env/local', '**/.env'],
  ] as const;
  expect(cases.map(([text]) => change(text))).toEqual(cases.map(([text, pattern]) => refusal(text, pattern)));
});

test.each([
  '/workspace/.git/config',
  '/workspace/.git/hooksx',
  '/workspace/a/.git/hooks/pre-commit',
  '/workspace/.env.example',
  '/workspace/env',
  '/workspace/.envrc',
  // Another letter, which no file system takes for the same.
  '/workspace/.\u0435nv',
])('leaves %j alone', (text) => {
  expect(change(text)).toBe('allowed');
});

test.each([
  ['upper case', '/workspace/.ENV'],
  ['mixed case', '/workspace/.Git/hOOks/pre-commit'],
  ['full-width letters', '/workspace/.\uff45\uff4e\uff56'],
  ['a full-width dot', '/workspace/\uff0eenv'],
  ['a one dot leader', '/workspace/\u2024env'],
  ['a small full stop', '/workspace/\ufe52env'],
  ['a zero width non-joiner', '/workspace/.g\u200cit/hooks/x'],
  ['a zero width space', '/workspace/.e\u200bnv'],
  ['a word joiner', '/workspace/.en\u2060v'],
  ['a soft hyphen', '/workspace/.e\u00adnv'],
  ['a byte order mark inside', '/workspace/.e\ufeffnv'],
  ['a variation selector', '/workspace/.env\ufe0f'],
  ['a combining grapheme joiner', '/workspace/.e\u034fnv'],
  ['a tag character', '/workspace/.env\u{e0041}'],
  ['a dotless i', '/workspace/.g\u0131t/hooks/x'],
  ['an i with a dot above', '/workspace/.G\u0130T/hooks/x'],
  ['mathematical letters', '/workspace/.\u{1d41e}\u{1d427}\u{1d42f}'],
  ['circled letters', '/workspace/.\u24d4\u24dd\u24e5'],
  ['a long s', '/workspace/.git/hook\u017f/x'],
  ['a Kelvin sign', '/workspace/.git/hoo\u212as/x'],
  ['a full-width slash', '/workspace/.git\uff0fhooks/x'],
  ['a full-width backslash', '/workspace/.git\uff3chooks'],
  ['a segment that nobody sees', '/workspace/.git/\u200b/hooks/x'],
  ['a dot at the end', '/workspace/.env.'],
  ['dots at the end of a directory', '/workspace/.git../hooks/x'],
  ['a stream of a file', '/workspace/.env::$DATA'],
  ['a stream of a directory', '/workspace/.git:$I30:$INDEX_ALLOCATION/hooks/x'],
  ['a dot and invisible characters at the end', '/workspace/.env\u200b.\u200b'],
  ['dot segments and double slashes', '/workspace/./.git//./hooks/x'],
  ['ss for ß', '/workspace/STRASSE/SECRET.KEY'],
  ['a capital ß', '/workspace/stra\u1e9ee/secret.key'],
  ['a letter and its combining part', '/workspace/Stra\u00dfe/secret.\u212aey'],
  ['several at once, below', '/workspace/a/.\uff25\u200bN\u{1d42f}./b/c'],
])('is not got around by %s', (_, text) => {
  expect(change(text)).toMatchObject({ reason: 'PATH_PROTECTED' });
});

test('refuses to take away a directory that may hold something protected', () => {
  const hooks = new ProtectedNames([name('.git/hooks/**')]);
  const cases = [
    '/workspace',
    '/workspace/.git',
    '/workspace/.GIT',
    '/workspace/.git/hooks',
    '/workspace/.git/hooks/a',
  ];
  expect(cases.map((text) => replace(text, hooks))).toEqual(cases.map((text) => refusal(text, '.git/hooks/**')));
  const others = ['/workspace/.git/objects', '/workspace/a', '/workspace/a/.git'];
  expect(others.map((text) => replace(text, hooks))).toEqual(['allowed', 'allowed', 'allowed']);
});

test('tells by the patterns alone what may hold something protected', () => {
  const holds = (text: string) => names.mayHoldProtected(path(text), work);
  // `.env` may be anywhere.
  expect([holds('/workspace/a'), replace('/workspace/a')]).toEqual([true, refusal('/workspace/a', '**/.env')]);
  expect(new ProtectedNames([name('a/*/b')]).mayHoldProtected(path('/workspace/a/x/c'), work)).toBe(false);
});

test('begins at the view, at any mount, or at one mount', () => {
  const docs = path('/docs');
  const mixed = new ProtectedNames([name('/docs/a', 'view'), name('b', 'mounts'), name('c', docs)]);
  const refused = (text: string, mount: VirtualPath) =>
    outcome(() => mixed.assertMayChange(path(text), mount)) !== 'allowed';
  const inWork = ['a', 'b', 'c', 'x/b'].filter((each) => refused(`/workspace/${each}`, work));
  const inDocs = ['a', 'b', 'c', 'x/c'].filter((each) => refused(`/docs/${each}`, docs));
  expect({ inWork, inDocs }).toEqual({ inWork: ['b'], inDocs: ['a', 'b', 'c'] });
});

test('protects nothing without names', () => {
  ProtectedNames.none.assertMayChange(path('/workspace/.env'), work);
  ProtectedNames.none.assertMayReplace(path('/workspace'), work);
  expect(ProtectedNames.none.mayHoldProtected(path('/workspace'), work)).toBe(false);
});
