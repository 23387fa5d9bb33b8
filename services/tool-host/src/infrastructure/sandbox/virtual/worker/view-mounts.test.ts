import { expect, test } from 'vitest';
import { ViewMounts } from './view-mounts.ts';

const mounts = new ViewMounts([
  { path: '/library/books', isReadOnly: true },
  { path: '/library/books/mine', isReadOnly: false },
  { path: '/inputs', isReadOnly: true },
  { path: '/tmp', isReadOnly: true },
]);

test('shows the topmost folders of a view, except where the shell has its own', () => {
  expect([...mounts.roots()].sort()).toEqual(['/inputs', '/library', '/workspace']);
  expect(new ViewMounts([]).roots()).toEqual(['/workspace']);
});

test.each([
  ['/workspace/a', false],
  ['/inputs/a', true],
  ['/inputs', true],
  ['/inputsalso', false],
  ['/library/a', true],
  ['/library/books/a', true],
  ['/library/books/mine/a', false],
])('knows whether %s can be changed', (path, isReadOnly) => {
  expect(mounts.isReadOnly(path)).toBe(isReadOnly);
});

test('lets the shell write what is not of the view', () => {
  const view = new ViewMounts([{ path: '/inputs', isReadOnly: true }]);
  expect(['/tmp/a', '/dev/null', '/a', '/inputs/a'].map((path) => view.isReadOnly(path))).toEqual([
    false,
    false,
    false,
    true,
  ]);
});
