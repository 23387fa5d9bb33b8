import { expect, test } from 'vitest';
import type { GivenMount } from './given-files.ts';
import { planImport } from './import-plan.ts';
import type { LeftFiles } from './left-files.ts';

function given(files: readonly string[], directories: readonly string[] = []): GivenMount {
  return {
    path: '/w',
    source: '/host',
    files: new Map(files.map((path) => [path, { etag: `etag of ${path}`, hash: '', identity: 'as given' }])),
    directories: new Set(directories),
    mountPoints: new Set(),
  };
}

function left(facts: Partial<LeftFiles>): LeftFiles {
  return { files: new Map(), directories: new Set(), kept: new Set(), bytes: 0, entries: 0, ...facts };
}

test('plans nothing when nothing was touched', () => {
  const files = new Map([['/w/a', 'as given']]);
  expect(planImport(given(['/w/a'], ['/w/d']), left({ files, directories: new Set(['/w/d']) }))).toEqual({
    inTheWay: [],
    directories: [],
    files: [],
    deletes: [],
  });
});

test('takes what is new and what was touched over, and deletes what is gone, directories from below', () => {
  const before = given(['/w/same', '/w/touched', '/w/d/e/gone'], ['/w/d', '/w/d/e']);
  const files = new Map([
    ['/w/same', 'as given'],
    ['/w/touched', 'later'],
    ['/w/new/file', 'later'],
  ]);
  expect(planImport(before, left({ files, directories: new Set(['/w/new', '/w/empty']) }))).toEqual({
    inTheWay: [],
    // The other one is made with the file in it.
    directories: ['/w/empty'],
    files: ['/w/new/file', '/w/touched'],
    deletes: [
      { path: '/w/d/e/gone', etag: 'etag of /w/d/e/gone' },
      { path: '/w/d/e', etag: '' },
      { path: '/w/d', etag: '' },
    ],
  });
});

test('deletes first what is in the place of something of another kind', () => {
  const before = given(['/w/file', '/w/dir/inner', '/w/other'], ['/w/dir']);
  const files = new Map([
    ['/w/dir', 'later'],
    ['/w/file/inner', 'later'],
  ]);
  expect(planImport(before, left({ files, directories: new Set(['/w/file']) }))).toEqual({
    inTheWay: [
      { path: '/w/dir/inner', etag: 'etag of /w/dir/inner' },
      { path: '/w/file', etag: 'etag of /w/file' },
      { path: '/w/dir', etag: '' },
    ],
    directories: [],
    files: ['/w/dir', '/w/file/inner'],
    deletes: [{ path: '/w/other', etag: 'etag of /w/other' }],
  });
});

test('leaves what it could not look at as it was, and the directories above', () => {
  const before = given(['/w/link', '/w/closed/inner', '/w/linked'], ['/w/closed', '/w/d', '/w/d/mount']);
  const kept = new Set(['/w/link', '/w/closed', '/w/d/mount']);
  expect(planImport(before, left({ kept }))).toEqual({
    inTheWay: [],
    directories: [],
    files: [],
    deletes: [{ path: '/w/linked', etag: 'etag of /w/linked' }],
  });
});
