import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ada, never, utf8 } from '../../../tests/files-fixture.ts';
import { MemoryDisk } from '../../infrastructure/disks/memory/memory-disk.ts';
import { diskUnavailable } from '../disk/disk-errors.ts';
import type { FileStore, ReadableStore } from '../disk/file-store.ts';
import { compareNames } from '../path/name-order.ts';
import { VirtualPath } from '../path/virtual-path.ts';
import { UnionSource } from './union-source.ts';
import { UnionStore } from './union-store.ts';

const at = (text: string) => VirtualPath.parse(text);
const clock = { nowMs: () => 0 };
const remote = at('/below');
const mapping = { outer: VirtualPath.root, inner: remote };
const everything = { after: '', limit: 1000, withEtags: true };

/** A disk with files, whose content is their path and the disk's number, and directories; first come, first served. */
async function diskOf(paths: readonly (readonly [path: string, isFile: boolean])[], number: number) {
  const disk = new MemoryDisk({ clock });
  for (const [path, isFile] of paths) {
    const full = at(path).below(remote);
    const making = isFile
      ? disk.write(ada, full, utf8(`${path} of ${number}`), { createOnly: true }, never)
      : disk.makeDirectory(ada, full, never);
    await making.catch(() => undefined);
  }
  return disk;
}

function unionOf(disks: readonly ReadableStore[], isOptional = false, missing: number[] = []) {
  const sources = disks.map((disk, index) => {
    return new UnionSource(disk, mapping, { isOptional, hidesDenied: false, onMissing: () => missing.push(index) });
  });
  return new UnionStore(VirtualPath.root, sources);
}

/** All that a store shows: directories as null, files as their content. */
async function shown(store: ReadableStore, top = VirtualPath.root, pageSize = 1000) {
  const all: Record<string, string | null> = {};
  let after: string | undefined = '';
  while (after !== undefined) {
    const page = await store.list(ada, top, { after, limit: pageSize, withEtags: true }, never);
    expect(page.entries.length).toBeLessThanOrEqual(pageSize);
    for (const { name, node } of page.entries) {
      const path = top.child(name);
      expect(await store.stat(ada, path, never)).toEqual(node);
      if (node.kind === 'file') {
        all[path.text] = Buffer.from((await store.read(ada, path, { offset: 0, length: 99 }, never)).data).toString();
      } else {
        all[path.text] = null;
        Object.assign(all, await shown(store, path, pageSize));
      }
    }
    after = page.next;
  }
  return all;
}

/** The same by another way: from the lowest source up, each path laid over what is there. */
async function laidOver(disks: readonly FileStore[]) {
  const all = new Map<string, string | null>();
  for (const disk of disks.toReversed()) {
    const one = new UnionStore(VirtualPath.root, [new UnionSource(disk, mapping)]);
    for (const [path, content] of Object.entries(await shown(one))) {
      if (content !== null || all.get(path) !== null) {
        [...all.keys()].filter((other) => other.startsWith(`${path}/`)).forEach((other) => all.delete(other));
      }
      all.set(path, content);
    }
  }
  return Object.fromEntries([...all].toSorted(([left], [right]) => compareNames(left, right)));
}

describe('a union', () => {
  test('shows what the layers laid over each other show, in pages of any size', async () => {
    const name = fc.constantFrom('a', 'a.txt', 'b', 'ü');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
    const layer = fc.array(fc.tuple(path, fc.boolean()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(layer, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (layers, pageSize) => {
          const disks = await Promise.all(layers.map(diskOf));
          const union = unionOf(disks);
          expect(await shown(union, VirtualPath.root, pageSize)).toEqual(await laidOver(disks));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('shows nothing below a file that hides a directory', async () => {
    const union = unionOf([await diskOf([['/a', true]], 0), await diskOf([['/a/b', true]], 1)]);
    expect(await union.stat(ada, at('/a/b'), never)).toBeUndefined();
    const gone = expect.objectContaining({ reason: 'FILE_NOT_FOUND', path: at('/a/b') });
    await expect(union.read(ada, at('/a/b'), { offset: 0, length: 1 }, never)).rejects.toEqual(gone);
    await expect(union.list(ada, at('/a/b'), everything, never)).rejects.toEqual(gone);
    await expect(union.list(ada, at('/a'), everything, never)).rejects.toMatchObject({ reason: 'NOT_A_DIRECTORY' });
    await expect(union.read(ada, at('/'), { offset: 0, length: 1 }, never)).rejects.toMatchObject({
      reason: 'NOT_A_FILE',
    });
  });

  test('is a directory even when none of its sources is there', async () => {
    const union = unionOf([new MemoryDisk({ clock }), new MemoryDisk({ clock })]);
    expect(await union.stat(ada, at('/'), never)).toMatchObject({ kind: 'directory' });
    expect(await union.list(ada, at('/'), everything, never)).toEqual({ entries: [], next: undefined });
  });
});

describe('a source whose disk can not be reached', () => {
  const fail = () => Promise.reject(diskUnavailable('far'));
  const far: ReadableStore = { stat: fail, list: fail, read: fail };

  test('fails the union when it is required: a shorter listing would be a lie', async () => {
    const union = unionOf([await diskOf([['/a', true]], 0), far]);
    for (const asked of [union.stat(ada, at('/a'), never), union.list(ada, at('/'), everything, never)]) {
      await expect(asked).rejects.toMatchObject({ reason: 'DISK_UNAVAILABLE' });
    }
  });

  test('is left out and told once when it is optional', async () => {
    const missing: number[] = [];
    const union = unionOf([far, await diskOf([['/a', true]], 1)], true, missing);
    expect(await shown(union)).toEqual({ '/a': '/a of 1' });
    expect(missing).toEqual([0]);
  });
});
