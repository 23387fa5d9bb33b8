import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { VirtualPath } from '../path/virtual-path.ts';
import { toInner, toOuter } from './mount.ts';
import { SessionView } from './session-view.ts';

const path = (text: string) => VirtualPath.parse(text);

function viewOf(...mounts: readonly string[]): SessionView {
  return new SessionView({
    id: brandId<RunId>('v'),
    uid: brandId<Uid>('ada'),
    sessionId: brandId<SessionId>('s'),
    mounts: mounts.map((text) => ({
      path: path(text),
      sources: [{ disk: 'd', remote: path('/r'), priority: 0, isOptional: false }],
      isReadOnly: false,
      isOutput: false,
    })),
    createTimeMs: 0,
  });
}

test('takes the longest mount by whole segments', () => {
  const view = viewOf('/work', '/work/deep/er', '/work/deep');
  const mounts = ['/work/deep/x', '/work/deep/er', '/work/deeper', '/work', '/work-evil', '/'].map(
    (text) => view.mountOf(path(text))?.path.text,
  );
  expect(mounts).toEqual(['/work/deep', '/work/deep/er', '/work', '/work', undefined, undefined]);
});

test('keeps mounts and all above them fixed', () => {
  const view = viewOf('/a/b/c', '/x');
  const fixed = ['/', '/a', '/a/b', '/a/b/c', '/a/b/c/d', '/a/z', '/x', '/xx'].map((text) => view.isFixed(path(text)));
  expect(fixed).toEqual([true, true, true, true, false, false, true, false]);
});

test('names the directories that mounts add', () => {
  const view = viewOf('/a/c', '/a/b/x', '/a/b/y', '/z');
  expect(['/', '/a', '/a/b', '/a/c', '/q'].map((text) => view.fixedNames(path(text)))).toEqual([
    ['a', 'z'],
    ['b', 'c'],
    ['x', 'y'],
    [],
    [],
  ]);
});

test('translates between paths of the view and of the disk', () => {
  const mapping = { outer: path('/work'), inner: path('/r') };
  expect(toInner(mapping, path('/work/a/b')).text).toBe('/r/a/b');
  expect(toOuter(mapping, path('/r/a/b')).text).toBe('/work/a/b');
  expect(toOuter(mapping, path('/elsewhere')).text).toBe('/work');
  const tooDeep = path(`/work${'/a'.repeat(63)}`);
  expect(toInner(mapping, tooDeep).segments).toHaveLength(64);
  expect(() => toInner({ ...mapping, inner: path('/r/s') }, tooDeep)).toThrow(
    expect.objectContaining({ reason: 'PATH_INVALID', facts: { path: tooDeep.text, why: 'too long for its disk' } }),
  );
});
