import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualPath } from '../path/virtual-path.ts';
import type { PathChange, PathDifference, SeenNode } from './path-difference.ts';
import { PendingChanges } from './pending-changes.ts';

const at = (text: string) => VirtualPath.parse(text);
const file = (etag: string): SeenNode => ({ kind: 'file', etag });
const directory: SeenNode = { kind: 'directory' };
const difference = (path: string, before?: SeenNode, after?: SeenNode): PathDifference => ({
  path: at(path),
  before,
  after,
});

function told(...steps: readonly PathDifference[][]): string[] {
  const pending = new PendingChanges();
  steps.forEach((step) => pending.add(step));
  return pending.take().map(({ path, kind, etag }) => `${kind} ${path.text} ${etag}`.trim());
}

describe('changes that wait', () => {
  test('are merged by path', () => {
    const [a, b] = [file('a'), file('b')];
    expect(told([difference('/x', undefined, a)], [difference('/x', a, b)])).toEqual(['ADDED /x b']);
    expect(told([difference('/x', a, b)], [difference('/x', b, file('c'))])).toEqual(['MODIFIED /x c']);
    expect(told([difference('/x', a)], [difference('/x', undefined, b)])).toEqual(['MODIFIED /x b']);
    expect(told([difference('/x', a, b)], [difference('/x', b)])).toEqual(['DELETED /x']);
  });

  test('are told of a path that is again as it was: somebody may have listed it in between', () => {
    const a = file('a');
    expect(told([difference('/x', undefined, a)], [difference('/x', a)])).toEqual(['DELETED /x']);
    expect(told([difference('/x', a, file('b'))], [difference('/x', file('b'), a)])).toEqual(['MODIFIED /x a']);
  });

  test('name a directory that is gone once, not what was in it', () => {
    const inside = [difference('/d', directory), difference('/d.txt', file('t')), difference('/d/x', file('a'))];
    expect(told(inside)).toEqual(['DELETED /d', 'DELETED /d.txt']);
    expect(told([difference('/d/x', undefined, file('a'))], [difference('/d', directory)])).toEqual(['DELETED /d']);
  });

  test('tell the end of a directory before what comes in its place', () => {
    const again = [difference('/d', undefined, directory), difference('/d/y', undefined, file('b'))];
    expect(told([difference('/d', directory)], again)).toEqual(['DELETED /d', 'ADDED /d', 'ADDED /d/y b']);
    expect(told([difference('/d', directory, file('f'))])).toEqual(['DELETED /d', 'ADDED /d f']);
  });
});

/** Paths with etags; directories have empty ones. */
type Tree = Map<string, string>;

/** What a client does with what it is told. */
function follow(tree: Tree, changes: readonly PathChange[]): void {
  for (const { path, kind, etag } of changes) {
    if (kind === 'DELETED') {
      remove(tree, path.text);
    } else {
      tree.set(path.text, etag);
    }
  }
}

function remove(tree: Tree, top: string): void {
  [...tree.keys()].filter((each) => each === top || each.startsWith(`${top}/`)).forEach((each) => tree.delete(each));
}

const segment = fc.constantFrom('a', 'a.b', 'c');
const anyPath = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
const work = fc.record({ path: anyPath, does: fc.constantFrom('write', 'remove', 'make') });
const moment = fc.constantFrom('take', 'list', 'nothing');

function change(tree: Tree, path: string, does: string, etag: string): void {
  if (does === 'remove') {
    remove(tree, path);
    return;
  }
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
    if ((tree.get(path.slice(0, end)) ?? '') !== '') {
      remove(tree, path.slice(0, end));
    }
    tree.set(path.slice(0, end), '');
  }
  if (does === 'write' || tree.get(path) !== '') {
    remove(tree, path);
    tree.set(path, does === 'write' ? etag : '');
  }
}

const nodeOf = (etag: string | undefined): SeenNode | undefined =>
  etag === undefined ? undefined : etag === '' ? directory : file(etag);

test('who applies what is told to a listing of any moment ends up with what is there', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(work, { minLength: 1, maxLength: 4 }), moment)), (steps) => {
      const [tree, pending]: [Tree, PendingChanges] = [new Map(), new PendingChanges()];
      let client: Tree = new Map();
      steps.forEach(([works, then], number) => {
        const before = new Map(tree);
        const touched = new Set<string>();
        works.forEach(({ path, does }, index) => {
          const was = new Map(tree);
          change(tree, path, does, `${number}.${index}`);
          for (const each of [...was.keys(), ...tree.keys()].filter((key) => was.get(key) !== tree.get(key))) {
            touched.add(each);
          }
        });
        pending.add([...touched].map((path) => difference(path, nodeOf(before.get(path)), nodeOf(tree.get(path)))));
        if (then === 'take') {
          follow(client, pending.take());
        } else if (then === 'list') {
          client = new Map(tree);
        }
      });
      follow(client, pending.take());
      expect(Object.fromEntries(client)).toEqual(Object.fromEntries(tree));
    }),
    { numRuns: 3000 },
  );
});
