import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileStore, maxFileBytes, maxStreamedBytes } from '../src/domain/disk/file-store.ts';
import { compareNames } from '../src/domain/path/name-order.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { fileStoreConcurrencyContract } from './file-store-concurrency.contract.ts';
import { ada, bob, failureOf, never, utf8 } from './files-fixture.ts';
import type { StoreUnderTest } from './stores-under-test.ts';

const at = (text: string) => VirtualPath.parse(text);
const all = { after: '', limit: 100, withEtags: true };

export interface ContractOptions {
  /** Segments of 255 bytes that a path can have; fewer than 16 where what is behind the disk has limits of its own. */
  readonly longSegments?: number;
}

/** What every disk has to do, whatever is behind it. */
export function fileStoreContract(
  open: () => Promise<StoreUnderTest>,
  { longSegments = 16 }: ContractOptions = {},
): void {
  let under: StoreUnderTest;
  let store: FileStore;
  beforeEach(async () => {
    under = await open();
    store = under.store;
  });
  afterEach(() => under[Symbol.asyncDispose]());

  const put = (path: string, text: string, guard = {}) => store.write(ada, at(path), utf8(text), guard, never);
  const text = async (path: string, offset = 0, length = maxFileBytes) =>
    new TextDecoder().decode((await store.read(ada, at(path), { offset, length }, never)).data);
  const names = async (path: string) => (await store.list(ada, at(path), all, never)).entries.map(({ name }) => name);

  test('has an empty root from the start', async () => {
    expect(await store.stat(ada, VirtualPath.root, never)).toMatchObject({ kind: 'directory' });
    expect(await store.list(ada, VirtualPath.root, all, never)).toEqual({ entries: [], next: undefined });
    expect(await store.stat(ada, at('/nothing'), never)).toBeUndefined();
  });

  test('reads back what it wrote, and tells the same file everywhere', async () => {
    const { node, isCreated } = await put('/a/b/hello.txt', 'hello, wörld');
    expect({ node, isCreated }).toEqual({
      node: { kind: 'file', size: 13, etag: expect.stringMatching(/^.+$/), modifyTimeMs: expect.any(Number) },
      isCreated: true,
    });
    expect(await text('/a/b/hello.txt')).toBe('hello, wörld');
    expect(await store.stat(ada, at('/a/b/hello.txt'), never)).toEqual(node);
    expect((await store.read(bob, at('/a/b/hello.txt'), { offset: 0, length: 1 }, never)).node).toEqual(node);
    expect(await store.list(ada, at('/a/b'), all, never)).toEqual({
      entries: [{ name: 'hello.txt', node }],
      next: undefined,
    });
    expect(await store.stat(ada, at('/a/b'), never)).toMatchObject({ kind: 'directory' });
  });

  test('changes the etag exactly with the content', async () => {
    const first = (await put('/x', 'one')).node.etag;
    const second = (await put('/x', 'two')).node.etag;
    const third = (await put('/x', 'one')).node.etag;
    const other = (await put('/y', 'one')).node.etag;
    expect(second).not.toBe(first);
    expect(third).toBe(first);
    expect(other).toBe(first);
  });

  test('reads ranges', async () => {
    await put('/x', '0123456789');
    expect(await text('/x', 3, 4)).toBe('3456');
    expect(await text('/x', 8, 100)).toBe('89');
    expect(await text('/x', 10, 5)).toBe('');
    expect(await text('/x', Number.MAX_SAFE_INTEGER, 5)).toBe('');
  });

  test('keeps an empty file and one of the size limit, byte for byte', async () => {
    await put('/empty', '');
    expect(await store.read(ada, at('/empty'), { offset: 0, length: 10 }, never)).toMatchObject({ node: { size: 0 } });
    const data = randomBytes(maxFileBytes);
    await store.write(ada, at('/large'), data, {}, never);
    const read = await store.read(ada, at('/large'), { offset: 0, length: maxFileBytes }, never);
    expect(Buffer.compare(read.data, data)).toBe(0);
    const offset = 5 * 1024 * 1024 - 7;
    const slice = await store.read(ada, at('/large'), { offset, length: 20 }, never);
    expect(Buffer.compare(slice.data, data.subarray(offset, offset + 20))).toBe(0);
  });

  test('keeps a file of 32 MiB, byte for byte, and reads it in ranges of 8 MiB', async () => {
    const data = randomBytes(maxStreamedBytes);
    const { node } = await store.write(ada, at('/streamed'), data, {}, never);
    expect(await store.stat(ada, at('/streamed'), never)).toEqual(node);
    for (let offset = 0; offset < data.length; offset += maxFileBytes) {
      const read = await store.read(ada, at('/streamed'), { offset, length: maxStreamedBytes }, never);
      expect(read.node).toEqual(node);
      expect(Buffer.compare(read.data, data.subarray(offset, offset + maxFileBytes))).toBe(0);
    }
    const offset = data.length - 5;
    const last = await store.read(ada, at('/streamed'), { offset, length: 20 }, never);
    expect(Buffer.compare(last.data, data.subarray(offset))).toBe(0);
    data[0] = (data[0] ?? 0) ^ 1;
    const changed = await store.write(ada, at('/streamed'), data, {}, never);
    expect(changed.node.etag).not.toBe(node.etag);
    const moved = await store.rename(ada, at('/streamed'), at('/moved'), never);
    expect(moved).toMatchObject({ size: data.length, etag: changed.node.etag });
  });

  test('does not hand out or keep the memory of its caller', async () => {
    const data = utf8('mine');
    await store.write(ada, at('/x'), data, {}, never);
    data.fill(0);
    (await store.read(ada, at('/x'), { offset: 0, length: 4 }, never)).data.fill(0);
    expect(await text('/x')).toBe('mine');
  });

  test('honours if_match and create_only, and changes nothing when they fail', async () => {
    const { etag } = (await put('/x', 'one', { createOnly: true })).node;
    expect(await failureOf(put('/x', 'two', { createOnly: true }))).toEqual({
      reason: 'FILE_EXISTS',
      facts: { path: '/x' },
    });
    expect(await failureOf(put('/x', 'two', { ifMatch: 'stale' }))).toEqual({
      reason: 'ETAG_MISMATCH',
      facts: { path: '/x', etag },
    });
    expect(await failureOf(put('/new/y', 'two', { ifMatch: etag }))).toEqual({
      reason: 'ETAG_MISMATCH',
      facts: { path: '/new/y', etag: '' },
    });
    expect(await names('/')).toEqual(['x']);
    expect(await put('/x', 'two', { ifMatch: etag })).toMatchObject({ isCreated: false });
    expect(await text('/x')).toBe('two');
  });

  test('refuses to take a file for a directory and the other way round', async () => {
    await put('/file', 'x');
    await put('/dir/inner', 'x');
    const failures = [
      put('/dir', 'x'),
      put('/dir', 'x', { createOnly: true }),
      put('/', 'x'),
      put('/file/below', 'x'),
      put('/file/far/below', 'x'),
      store.read(ada, at('/dir'), { offset: 0, length: 1 }, never),
      store.read(ada, at('/'), { offset: 0, length: 1 }, never),
      store.read(ada, at('/file/below'), { offset: 0, length: 1 }, never),
      store.list(ada, at('/file'), all, never),
      store.list(ada, at('/file/below'), all, never),
      store.list(ada, at('/nothing'), all, never),
      store.makeDirectory(ada, at('/file'), never),
      store.makeDirectory(ada, at('/file/below'), never),
      store.remove(ada, at('/file/below'), { isRecursive: true }, never),
      store.rename(ada, at('/dir'), at('/file/below'), never),
    ];
    const told = await Promise.all(failures.map(failureOf));
    expect(told.map((failure) => failure as { reason: string; facts: { path: string } })).toEqual(
      [
        ['NOT_A_FILE', '/dir'],
        ['FILE_EXISTS', '/dir'],
        ['NOT_A_FILE', '/'],
        ['NOT_A_DIRECTORY', '/file'],
        ['NOT_A_DIRECTORY', '/file'],
        ['NOT_A_FILE', '/dir'],
        ['NOT_A_FILE', '/'],
        ['FILE_NOT_FOUND', '/file/below'],
        ['NOT_A_DIRECTORY', '/file'],
        ['FILE_NOT_FOUND', '/file/below'],
        ['FILE_NOT_FOUND', '/nothing'],
        ['NOT_A_DIRECTORY', '/file'],
        ['NOT_A_DIRECTORY', '/file'],
        ['FILE_NOT_FOUND', '/file/below'],
        ['NOT_A_DIRECTORY', '/file'],
      ].map(([reason, path]) => ({ reason, facts: { path } })),
    );
    expect(await store.stat(ada, at('/file/below'), never)).toBeUndefined();
    expect(await text('/file')).toBe('x');
    expect(await names('/dir')).toEqual(['inner']);
  });

  test('lists by name in byte order, page by page', async () => {
    const files = ['b', 'B', 'a', 'a-', 'a.txt', 'ab', 'é', '😀', '\uffee', '10', '9', '%41', '.hidden'];
    await Promise.all(files.map((name) => put(`/d/${name}`, name)));
    await store.makeDirectory(ada, at('/d/a0'), never);
    const sorted = [...files, 'a0'].toSorted(compareNames);
    expect(await names('/d')).toEqual(sorted);
    for (const limit of [1, 3, 5, 100]) {
      const found: string[] = [];
      let after: string | undefined = '';
      while (after !== undefined) {
        const page = await store.list(ada, at('/d'), { after, limit, withEtags: false }, never);
        expect(page.entries.length).toBeLessThanOrEqual(limit);
        found.push(...page.entries.map(({ name }) => name));
        after = page.next;
      }
      expect(found).toEqual(sorted);
    }
  });

  test('tells names apart by case and by every byte', async () => {
    await put('/Readme', 'upper');
    await put('/readme', 'lower');
    await put('/readme%20', 'percent');
    expect(await text('/Readme')).toBe('upper');
    expect(await text('/readme')).toBe('lower');
    expect(await store.stat(ada, at('/README'), never)).toBeUndefined();
    expect(await names('/')).toEqual(['Readme', 'readme', 'readme%20']);
  });

  test('reaches the limits of paths', async () => {
    const deep = at(`/${Array.from({ length: 64 }, (_, index) => `d${index}`).join('/')}`);
    const long = at(`/${'x'.repeat(255)}`.repeat(longSegments));
    for (const path of [deep, long]) {
      await store.write(ada, path, utf8(path.name), {}, never);
      expect(await text(path.text)).toBe(path.name);
      await store.remove(ada, at(`/${path.segments[0]}`), { isRecursive: true }, never);
      expect(await store.stat(ada, path, never)).toBeUndefined();
    }
  });

  test('makes directories, again and above', async () => {
    expect(await store.makeDirectory(ada, at('/a/b/c'), never)).toMatchObject({ kind: 'directory' });
    expect(await store.makeDirectory(ada, at('/a/b/c'), never)).toMatchObject({ kind: 'directory' });
    expect(await store.makeDirectory(ada, at('/'), never)).toMatchObject({ kind: 'directory' });
    expect(await names('/a')).toEqual(['b']);
    expect(await names('/a/b/c')).toEqual([]);
  });

  test('removes files, empty directories, and full ones only when told to', async () => {
    const { etag } = (await put('/d/x', 'x')).node;
    await put('/d/e/f/y', 'y');
    const remove = (path: string, request: { isRecursive?: boolean; ifMatch?: string } = {}) =>
      store.remove(ada, at(path), { isRecursive: false, ...request }, never);
    expect(await failureOf(remove('/d'))).toEqual({ reason: 'DIRECTORY_NOT_EMPTY', facts: { path: '/d' } });
    expect(await failureOf(remove('/nothing'))).toEqual({ reason: 'FILE_NOT_FOUND', facts: { path: '/nothing' } });
    expect(await failureOf(remove('/d/x', { ifMatch: 'stale' }))).toEqual({
      reason: 'ETAG_MISMATCH',
      facts: { path: '/d/x', etag },
    });
    expect(await failureOf(remove('/d', { isRecursive: true, ifMatch: etag }))).toEqual({
      reason: 'ETAG_MISMATCH',
      facts: { path: '/d', etag: '' },
    });
    expect(await failureOf(remove('/', { isRecursive: true }))).toMatchObject({ reason: 'PATH_INVALID' });
    await remove('/d/x', { ifMatch: etag });
    expect(await failureOf(remove('/d/x'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    await remove('/d/e', { isRecursive: true });
    expect(await names('/d')).toEqual([]);
    await remove('/d');
    expect(await names('/')).toEqual([]);
  });

  test('moves files and whole directories, and never over something', async () => {
    const { node } = await put('/a/x', 'x');
    await put('/a/sub/y', 'y');
    await put('/other', 'o');
    const rename = (from: string, to: string) => store.rename(ada, at(from), at(to), never);
    expect(await rename('/a/x', '/new/place')).toEqual(node);
    expect(await text('/new/place')).toBe('x');
    expect(await failureOf(rename('/new/place', '/other'))).toEqual({
      reason: 'FILE_EXISTS',
      facts: { path: '/other' },
    });
    expect(await failureOf(rename('/other', '/other'))).toMatchObject({ reason: 'FILE_EXISTS' });
    expect(await failureOf(rename('/other', '/'))).toMatchObject({ reason: 'FILE_EXISTS' });
    expect(await failureOf(rename('/a', '/new'))).toMatchObject({ reason: 'FILE_EXISTS' });
    expect(await failureOf(rename('/none', '/x'))).toEqual({ reason: 'FILE_NOT_FOUND', facts: { path: '/none' } });
    expect(await failureOf(rename('/a', '/a/sub/deeper'))).toEqual({
      reason: 'PATH_INVALID',
      facts: { path: '/a/sub/deeper', why: 'it lies within what is moved' },
    });
    expect(await failureOf(rename('/', '/x'))).toMatchObject({ reason: 'PATH_INVALID' });
    expect(await rename('/a', '/moved/b')).toMatchObject({ kind: 'directory' });
    expect(await text('/moved/b/sub/y')).toBe('y');
    expect(await names('/')).toEqual(['moved', 'new', 'other']);
  });

  test('does nothing for a caller who has gone', async () => {
    const gone = AbortSignal.abort(new RangeError('gone'));
    await expect(store.write(ada, at('/x'), utf8('x'), {}, gone)).rejects.toThrow('gone');
    await expect(store.stat(ada, at('/x'), gone)).rejects.toThrow('gone');
    expect(await store.stat(ada, at('/x'), never)).toBeUndefined();
  });

  fileStoreConcurrencyContract(open);
}
