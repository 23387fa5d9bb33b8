import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSegment, maxPathBytes, maxSegmentBytes, maxSegments, VirtualPath } from './virtual-path.ts';

test.each([
  ['/', '/'],
  ['//', '/'],
  ['/a/b', '/a/b'],
  ['/a//b/./c/', '/a/b/c'],
  ['/./.', '/'],
  ['/cafe\u0301', '/caf\u00e9'],
  ['/100%/%2e%2e/%2f', '/100%/%2e%2e/%2f'],
  ['/a b/c', '/a b/c'],
  ['/.env', '/.env'],
  ['/...', '/...'],
  ['/a..b', '/a..b'],
  ['/a:b', '/a:b'],
  ['/a/~b', '/a/~b'],
  ['/👩‍🚀.txt', '/👩‍🚀.txt'],
])('reads %j as %j', (text, normal) => {
  expect(VirtualPath.parse(text).text).toBe(normal);
});

test.each([
  ['', 'empty'],
  ['a/b', 'not absolute: it has to start with /'],
  ['./a', 'not absolute: it has to start with /'],
  ['/..', 'has a .. segment'],
  ['/a/../b', 'has a .. segment'],
  ['/a/..', 'has a .. segment'],
  ['/a\u0000b', 'has a control character'],
  ['/a\nb', 'has a control character'],
  ['/a\u007f', 'has a control character'],
  ['/a\u0085', 'has a control character'],
  ['/a\u2028b', 'has a control character'],
  ['/\u202egpj.exe', 'has a bidirectional control character'],
  ['/a\u2066b', 'has a bidirectional control character'],
  ['/a\\b', 'has a backslash'],
  ['/..\\..\\x', 'has a backslash'],
  ['\\\\server\\share', 'not absolute: it has to start with /'],
  ['C:\\x', 'starts with a drive'],
  ['/c:/x', 'starts with a drive'],
  ['/C:', 'starts with a drive'],
  ['/./c:/x', 'starts with a drive'],
  ['file:///etc/passwd', 'a URL, not a path'],
  ['/http://evil', 'a URL, not a path'],
  ['~/x', 'not absolute: it has to start with /'],
  ['/~root', 'starts with ~'],
  ['//./~root', 'starts with ~'],
  ['/ a', 'has a segment with a space at its edge'],
  ['/a /b', 'has a segment with a space at its edge'],
  ['/a\u00a0', 'has a segment with a space at its edge'],
  ['/\ufeffa', 'has a segment with a space at its edge'],
  ['/\ud800', 'not well-formed Unicode'],
  [`/${'x'.repeat(maxSegmentBytes + 1)}`, `has a segment longer than ${maxSegmentBytes} bytes`],
  [`/${'é'.repeat(128)}`, `has a segment longer than ${maxSegmentBytes} bytes`],
  ['/a'.repeat(maxSegments + 1), `more than ${maxSegments} segments`],
  [`/${'x'.repeat(255)}`.repeat(16) + '/y', `longer than ${maxPathBytes} bytes`],
])('refuses %j: %s', (text, why) => {
  expect(() => VirtualPath.parse(text)).toThrow(
    expect.objectContaining({ kind: 'invalid', reason: 'PATH_INVALID', facts: expect.objectContaining({ why }) }),
  );
});

test('accepts exactly the limits', () => {
  expect(VirtualPath.parse(`/${'x'.repeat(maxSegmentBytes)}`).name).toHaveLength(maxSegmentBytes);
  expect(VirtualPath.parse('/a'.repeat(maxSegments)).segments).toHaveLength(maxSegments);
  expect(VirtualPath.parse(`/${'x'.repeat(255)}`.repeat(16)).text).toHaveLength(maxPathBytes);
});

test('tells a huge path by its beginning', () => {
  expect(() => VirtualPath.parse('x'.repeat(1_000_000))).toThrow(
    expect.objectContaining({ facts: { path: `${'x'.repeat(256)}…`, why: `longer than ${maxPathBytes} bytes` } }),
  );
});

test('compares by whole segments', () => {
  const path = (text: string) => VirtualPath.parse(text);
  expect(path('/work/a').isWithin(path('/work'))).toBe(true);
  expect(path('/work').isWithin(path('/work'))).toBe(true);
  expect(path('/work-evil/a').isWithin(path('/work'))).toBe(false);
  expect(path('/Work/a').isWithin(path('/work'))).toBe(false);
  expect(path('/work').isWithin(path('/work/a'))).toBe(false);
  expect(path('/a/b/c').relativeTo(path('/a')).below(path('/x')).text).toBe('/x/b/c');
  expect(path('/a/b').parent.text).toBe('/a');
  expect(VirtualPath.root.parent.text).toBe('/');
});

test('answers no path for a name that none leads to', () => {
  const root = VirtualPath.root;
  expect(['a', '..', '.', '', 'a/b', 'cafe\u0301', ' a', 'a\n'].map((name) => root.entry(name)?.text)).toEqual([
    '/a',
    ...Array.from({ length: 7 }, () => undefined),
  ]);
  expect(VirtualPath.parse('/a'.repeat(maxSegments)).entry('b')).toBeUndefined();
});

test('normalises once and for all, and never leaves anything that climbs', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (rest) => {
      let path: VirtualPath;
      try {
        path = VirtualPath.parse(`/${rest}`);
      } catch (error) {
        expect(error).toMatchObject({ reason: 'PATH_INVALID' });
        return;
      }
      expect(VirtualPath.parse(path.text).text).toBe(path.text);
      expect(path.segments.every(isSegment)).toBe(true);
      expect(path.text).toBe(path.text.normalize('NFC'));
      expect(path.text.split('/')).not.toContain('..');
    }),
    { numRuns: 2000 },
  );
});

test('a path below a base is within it, and comes back out of it', () => {
  const segment = fc.string({ minLength: 1, maxLength: 8 }).filter(isSegment);
  const path = fc
    .array(segment, { maxLength: 5 })
    .map((segments) => segments.reduce((parent, name) => parent.child(name), VirtualPath.root));
  fc.assert(
    fc.property(path, path, (base, relative) => {
      const below = relative.below(base);
      expect(below.isWithin(base)).toBe(true);
      expect(below.relativeTo(base).text).toBe(relative.text);
    }),
  );
});
