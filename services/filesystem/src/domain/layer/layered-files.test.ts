import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ada, never, utf8 } from '../../../tests/files-fixture.ts';
import { MemoryLayerRows } from '../../../tests/memory-layer-rows.ts';
import { MemoryDisk } from '../../infrastructure/disks/memory/memory-disk.ts';
import { FileError } from '../disk/file-errors.ts';
import type { FileStore, ReadableStore } from '../disk/file-store.ts';
import { VirtualPath } from '../path/virtual-path.ts';
import { UnionSource } from '../union/union-source.ts';
import type { LayerChanges } from './layer-rows.ts';
import { LayeredFiles, type LowerMount } from './layered-files.ts';

const at = (text: string) => VirtualPath.parse(text);
const clock = { nowMs: () => 0 };
const top = at('/m');

type Step =
  | { readonly type: 'write' | 'remove' | 'removeAll' | 'makeDirectory'; readonly path: string }
  | { readonly type: 'rename' | 'copy'; readonly path: string; readonly to: string };

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((segments) => `/m/${segments.join('/')}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constantFrom('write' as const, 'remove', 'removeAll', 'makeDirectory'), path }),
  fc.record({ type: fc.constantFrom('rename' as const, 'copy'), path, to: path }),
);
const lowerPaths = fc.array(fc.tuple(path, fc.boolean()), { maxLength: 6 });

/** Files as content, directories as null. */
type Flat = Map<string, string | null>;

/** What an operation does to a plain tree, which is what a union has to look like. */
class FlatModel {
  readonly all: Flat;

  constructor(all: Flat) {
    this.all = new Map(all);
  }

  /** The reason of its failure; empty when it is done. */
  make(each: Step, content: string): string {
    switch (each.type) {
      case 'write':
        return this.#write(each.path, content);
      case 'makeDirectory':
        return this.#makeDirectory(each.path);
      case 'remove':
      case 'removeAll':
        return this.#remove(each.path, each.type === 'removeAll');
      case 'rename':
      case 'copy':
        return this.#copy(each.path, each.to, each.type === 'rename');
    }
  }

  #write(file: string, content: string): string {
    if (!this.#makeParents(file)) {
      return 'NOT_A_DIRECTORY';
    }
    if (this.all.get(file) === null) {
      return 'NOT_A_FILE';
    }
    this.all.set(file, content);
    return '';
  }

  #makeDirectory(directory: string): string {
    if (typeof this.all.get(directory) === 'string' || !this.#makeParents(directory)) {
      return 'NOT_A_DIRECTORY';
    }
    this.all.set(directory, null);
    return '';
  }

  #remove(file: string, isRecursive: boolean): string {
    if (!this.all.has(file)) {
      return 'FILE_NOT_FOUND';
    }
    const below = [...this.all.keys()].filter((other) => other.startsWith(`${file}/`));
    if (below.length > 0 && !isRecursive) {
      return 'DIRECTORY_NOT_EMPTY';
    }
    [file, ...below].forEach((each) => this.all.delete(each));
    return '';
  }

  #copy(from: string, to: string, removes: boolean): string {
    if (!this.all.has(from)) {
      return 'FILE_NOT_FOUND';
    }
    if (this.all.has(to)) {
      return 'FILE_EXISTS';
    }
    if (to.startsWith(`${from}/`)) {
      return 'PATH_INVALID';
    }
    if (!this.#makeParents(to)) {
      return 'NOT_A_DIRECTORY';
    }
    const moved = [...this.all].filter(([each]) => each === from || each.startsWith(`${from}/`));
    if (removes) {
      moved.forEach(([each]) => this.all.delete(each));
    }
    moved.forEach(([each, content]) => this.all.set(to + each.slice(from.length), content));
    return '';
  }

  #makeParents(file: string): boolean {
    const parents = file
      .split('/')
      .map((_, index, all) => all.slice(0, index).join('/'))
      .filter((each) => each.length > '/m'.length);
    if (parents.some((each) => typeof this.all.get(each) === 'string')) {
      return false;
    }
    parents.forEach((each) => this.all.set(each, null));
    return true;
  }
}

async function shown(store: ReadableStore, directory = top, all: Flat = new Map()): Promise<Flat> {
  let after: string | undefined = '';
  while (after !== undefined) {
    const page = await store.list(ada, directory, { after, limit: 2, withEtags: true }, never);
    for (const { name: each, node } of page.entries) {
      const child = directory.child(each);
      expect(await store.stat(ada, child, never)).toEqual(node);
      if (node.kind === 'file') {
        const { data } = await store.read(ada, child, { offset: 0, length: 99 }, never);
        all.set(child.text, Buffer.from(data).toString());
      } else {
        all.set(child.text, null);
        await shown(store, child, all);
      }
    }
    after = page.next;
  }
  return all;
}

async function diskOf(paths: readonly (readonly [path: string, isFile: boolean])[], number: number) {
  const disk = new MemoryDisk({ clock });
  for (const [each, isFile] of paths) {
    const making = isFile
      ? disk.write(ada, at(each), utf8(`${each} of ${number}`), { createOnly: true }, never)
      : disk.makeDirectory(ada, at(each), never);
    await making.catch(() => undefined);
  }
  return disk;
}

interface World {
  readonly files: LayeredFiles;
  readonly disks: readonly FileStore[];
}

/** `spoil` makes something of each change on its way into the layer. */
async function worldOf(
  layers: readonly (readonly (readonly [string, boolean])[])[],
  keepsVersions: boolean,
  spoil: (changes: LayerChanges) => LayerChanges = (changes) => changes,
): Promise<World> {
  const disks = await Promise.all(layers.map(diskOf));
  const sources = disks.map((disk) => new UnionSource(disk, { outer: top, inner: top }));
  const capabilities = { ifMatch: true, createOnly: true, atomic: false };
  const lower: LowerMount = { top, sources, keepsVersions, capabilities };
  const rows = new MemoryLayerRows();
  const files = new LayeredFiles({
    rows,
    lower,
    lowerAt: () => lower,
    make: (changes) => rows.make(spoil(changes)),
    digest: (data) => createHash('sha256').update(data).digest('hex'),
    nowMs: clock.nowMs,
  });
  return { files, disks };
}

async function make(files: LayeredFiles, each: Step, content: string): Promise<string> {
  const file = at(each.path);
  try {
    switch (each.type) {
      case 'write':
        await files.write(ada, file, utf8(content), {}, never);
        break;
      case 'makeDirectory':
        await files.makeDirectory(ada, file, never);
        break;
      case 'remove':
      case 'removeAll':
        await files.remove(ada, file, { isRecursive: each.type === 'removeAll' }, never);
        break;
      case 'rename':
      case 'copy':
        await files[each.type](ada, file, at(each.to), never);
    }
    return '';
  } catch (error) {
    if (error instanceof FileError) {
      return error.reason;
    }
    throw error;
  }
}

const sequences = fc.record({
  layers: fc.array(lowerPaths, { minLength: 1, maxLength: 3 }),
  steps: fc.array(step, { minLength: 1, maxLength: 12 }),
  keepsVersions: fc.boolean(),
});

interface Sequence {
  readonly layers: readonly (readonly (readonly [string, boolean])[])[];
  readonly steps: readonly Step[];
  readonly keepsVersions: boolean;
}

/** Whether a run sees in its union, step by step, what it would see in a plain tree. */
async function isLikeFlat(
  { layers, steps, keepsVersions }: Sequence,
  spoil?: (changes: LayerChanges) => LayerChanges,
): Promise<boolean> {
  const { files, disks } = await worldOf(layers, keepsVersions, spoil);
  const before = await Promise.all(disks.map((disk) => shown(disk).catch(() => new Map())));
  const model = new FlatModel(await shown(files));
  for (const [index, each] of steps.entries()) {
    const expected = model.make(each, `step ${index}`);
    if ((await make(files, each, `step ${index}`)) !== expected) {
      return false;
    }
  }
  const seen = await shown(files);
  const isSame = seen.size === model.all.size && [...model.all].every(([each, content]) => seen.get(each) === content);
  const after = await Promise.all(disks.map((disk) => shown(disk).catch(() => new Map())));
  expect(after).toEqual(before);
  return isSame;
}

describe('the union that a run changes', () => {
  test('is like a plain tree, and leaves what lies below as it is', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        expect(await isLikeFlat(sequence)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test('would show what was deleted if directories made again were not opaque', { timeout: 60_000 }, async () => {
    const withoutOpaque = ({ puts, ...changes }: LayerChanges): LayerChanges => ({
      ...changes,
      puts: puts.map((put) => {
        const { entry } = put;
        const node = entry.node.kind === 'directory' ? { ...entry.node, isOpaque: false } : entry.node;
        return { ...put, entry: { ...entry, node } };
      }),
    });
    const sampled = fc.sample(sequences, { numRuns: 5000, seed: 1 });
    let different = 0;
    for (const sequence of sampled) {
      const isSame = await isLikeFlat({ ...sequence, keepsVersions: true }, withoutOpaque).catch(() => false);
      different += isSame ? 0 : 1;
    }
    expect(different).toBeGreaterThan(100);
  });
});
