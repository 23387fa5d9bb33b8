import { expect, test } from 'vitest';
import { InMemoryFiles } from '../../../../../tests/in-memory-files.ts';
import { viewOf } from '../../../../../tests/sandbox-attack-ground.ts';
import { doFileOperation, errnoOf } from '../file-operations.ts';
import { type Answer, FileFailure } from './channel.ts';
import { ViewFileSystem } from './view-file-system.ts';
import { ViewFiles } from './view-files.ts';

/** The two sides, without the channel between them. `before` is called before each operation. */
function view(before: (operation: string) => void = () => undefined) {
  const all = new InMemoryFiles();
  const files = viewOf(all);
  const operations: string[] = [];
  const ask = async (
    ...[operation, data = new Uint8Array(0)]: Parameters<ConstructorParameters<typeof ViewFiles>[0]>
  ) => {
    before(operation.operation);
    operations.push(operation.operation);
    try {
      const done = await doFileOperation(files, operation, data);
      return { value: done.value, data: done.data ?? new Uint8Array(0) } satisfies Answer;
    } catch (error) {
      const failure = errnoOf(error, operation);
      throw failure === undefined ? error : new FileFailure(failure.code, failure.message);
    }
  };
  return { all, operations, fs: new ViewFileSystem('/workspace', new ViewFiles(ask)) };
}

test('writes what it has read in that version only', async () => {
  const { all, fs } = view();
  all.put('/workspace/f', 'old');
  await fs.readFile('/f');
  await fs.writeFile('/f', 'mine');
  all.put('/workspace/f', 'theirs');
  await expect(fs.writeFile('/f', 'mine again')).rejects.toThrow(/^EBUSY: somebody else has changed it/);
  expect(all.text('/workspace/f')).toBe('theirs');
  expect(await fs.readFile('/f')).toBe('theirs');
  await fs.writeFile('/f', 'mine at last');
  expect(all.text('/workspace/f')).toBe('mine at last');
});

test('appends again and again without reading again', async () => {
  const { all, operations, fs } = view();
  for (const text of ['a', 'b', 'c']) {
    await fs.appendFile('/f', text);
  }
  expect([all.text('/workspace/f'), operations]).toEqual(['abc', ['read', 'write', 'write', 'write']]);
});

test('reads anew when a file is changed between two of its pieces', async () => {
  const { all, fs } = view((operation) => {
    reads += operation === 'read' ? 1 : 0;
    if (reads === 2 && operation === 'read') {
      all.put('/workspace/f', 'b'.repeat(1_500_000));
    }
  });
  let reads = 0;
  all.put('/workspace/f', 'a'.repeat(1_500_000));
  expect(await fs.readFile('/f')).toBe('b'.repeat(1_500_000));
});

test('moves over what is in the way', async () => {
  const { all, fs } = view();
  all.put('/workspace/a', 'a');
  all.put('/workspace/b', 'b');
  await fs.mv('/a', '/b');
  expect(all.under('/').map((path) => [path, all.text(path)])).toEqual([['/workspace/b', 'a']]);
  await expect(fs.mv('/missing', '/b')).rejects.toThrow('ENOENT');
});

test('copies folders, but not into themselves', async () => {
  const { all, fs } = view();
  all.put('/workspace/d/e/f', 'x');
  await fs.cp('/d', '/copy', { recursive: true });
  expect(all.under('/workspace')).toEqual(['/workspace/copy/e/f', '/workspace/d/e/f']);
  await expect(fs.cp('/d', '/d/e/in', { recursive: true })).rejects.toThrow('EINVAL');
  await expect(fs.cp('/d', '/other')).rejects.toThrow('EISDIR');
});

test.each([
  ['ENOENT', (fs: ViewFileSystem) => fs.readFile('/missing')],
  ['EISDIR', (fs: ViewFileSystem) => fs.readFile('/d')],
  ['EISDIR', (fs: ViewFileSystem) => fs.writeFile('/d', 'x')],
  ['ENOTDIR', (fs: ViewFileSystem) => fs.readdir('/f')],
  ['EEXIST', (fs: ViewFileSystem) => fs.mkdir('/d')],
  ['ENOENT', (fs: ViewFileSystem) => fs.mkdir('/x/y')],
  ['ENOTEMPTY', (fs: ViewFileSystem) => fs.rm('/d')],
  ['EPERM', (fs: ViewFileSystem) => fs.symlink('/f', '/link')],
  ['EINVAL', (fs: ViewFileSystem) => fs.readlink('/f')],
  ['EFBIG', (fs: ViewFileSystem) => fs.writeFile('/g', new Uint8Array(8 * 1024 * 1024 + 1))],
])('fails with %s as files of a machine do', async (code, operate) => {
  const { all, fs } = view();
  all.put('/workspace/f', 'x');
  all.put('/workspace/d/in', 'x');
  await expect(operate(fs)).rejects.toThrow(new RegExp(`^${code}: `));
});

test('never leaves its folder', async () => {
  const { all, fs } = view();
  all.put('/inputs/secret', 'x');
  await expect(fs.readFile('/../inputs/secret')).rejects.toThrow('ENOENT');
  await expect(fs.readFile('../../inputs/secret')).rejects.toThrow('ENOENT');
});
