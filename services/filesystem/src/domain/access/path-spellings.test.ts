import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldName, spellingsOf } from './path-spellings.ts';

test.each([
  ['.ENV', '.env'],
  ['\uff0e\uff45\uff4e\uff56', '.env'],
  ['\u2024env', '.env'],
  ['.g\u200cit', '.git'],
  ['.g\u00adit', '.git'],
  ['.git\ufe0f', '.git'],
  ['.GİT', '.git'],
  ['.gıt', '.git'],
  ['\u212aey', 'key'],
  ['\u017fecret', 'secret'],
  ['ﬁle', 'file'],
  ['Straße', 'strasse'],
  ['STRA\u1e9eE', 'strasse'],
  ['ΑΣ', 'ασ'],
  ['ας', 'ασ'],
  ['cafe\u0301', 'caf\u00e9'],
])('folds %j to %j', (name, folded) => {
  expect(foldName(name)).toBe(folded);
});

test('tells names apart that no file system takes for the same', () => {
  expect(new Set(['.env', '.env2', 'env', '.\u0435nv', '.énv'].map(foldName)).size).toBe(5);
});

test('folds once and for all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      expect(foldName(foldName(text))).toBe(foldName(text));
    }),
    { numRuns: 5000 },
  );
});

test('folds what differs only by case or form to the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      const composed = text.normalize('NFC');
      const others = [composed.toUpperCase(), composed.toLowerCase(), text.normalize('NFKC'), text.normalize('NFD')];
      expect(others.map(foldName)).toEqual(others.map(() => foldName(text)));
    }),
    { numRuns: 5000 },
  );
});

test('tells the spellings of a path', () => {
  expect(spellingsOf(['Work', 'a.md'])).toEqual({ exact: ['Work', 'a.md'], folded: [['work', 'a.md']] });
  expect(spellingsOf(['.GIT.', '.env:stream'])).toEqual({
    exact: ['.GIT.', '.env:stream'],
    folded: [
      ['.git.', '.env:stream'],
      ['.git', '.env'],
    ],
  });
  expect(spellingsOf(['.git\uff0fhooks', '\u200b', 'a'])).toEqual({
    exact: ['.git\uff0fhooks', '\u200b', 'a'],
    folded: [['.git', 'hooks', 'a']],
  });
});
