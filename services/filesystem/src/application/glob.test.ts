import { expect, test } from 'vitest';
import { ada, failureOf, filesFixture, never, viewId } from '../../tests/files-fixture.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { GlobRequest } from './glob.ts';

async function fixture() {
  const files = await filesFixture();
  for (const path of ['a.md', 'b.txt', 'src/main.ts', 'src/deep/x.ts', 'src/deep/y.md', '.hidden/z.md']) {
    files.clock.advance(1000);
    await files.put(`/workspace/${path}`, path);
  }
  const books = files.disks.get('books');
  files.clock.advance(1000);
  await books?.write(ada, VirtualPath.parse('/book.md'), new Uint8Array(3), {}, never);
  const glob = async (pattern: string, options: Partial<GlobRequest> = {}) => {
    const request = { viewId, path: '/', pattern, limit: 100, ...options };
    const { files: found, isTruncated } = await files.glob.execute(ada, request, never);
    return { paths: found.map(({ path }) => path.text), isTruncated };
  };
  return { files, glob };
}

test('finds files over all mounts, newest first', async () => {
  const { glob } = await fixture();
  expect(await glob('**/*.md')).toEqual({
    paths: ['/library/book.md', '/workspace/.hidden/z.md', '/workspace/src/deep/y.md', '/workspace/a.md'],
    isTruncated: false,
  });
});

test('matches relative to the path that is searched', async () => {
  const { glob } = await fixture();
  expect((await glob('*.md', { path: '/workspace' })).paths).toEqual(['/workspace/a.md']);
  expect((await glob('src/*.ts', { path: '/workspace' })).paths).toEqual(['/workspace/src/main.ts']);
  expect((await glob('*.md')).paths).toEqual([]);
  expect((await glob('src/**', { path: '/workspace' })).paths).toEqual([
    '/workspace/src/deep/y.md',
    '/workspace/src/deep/x.ts',
    '/workspace/src/main.ts',
  ]);
  expect((await glob('{workspace,library}/*.md')).paths).toEqual(['/library/book.md', '/workspace/a.md']);
  expect((await glob('nowhere/**')).paths).toEqual([]);
  expect((await glob('workspace/none/**')).paths).toEqual([]);
  expect((await glob('a.md/**', { path: '/workspace' })).paths).toEqual([]);
});

test('keeps the newest when there are more than the limit', async () => {
  const { glob } = await fixture();
  expect(await glob('**', { limit: 2 })).toEqual({
    paths: ['/library/book.md', '/workspace/.hidden/z.md'],
    isTruncated: true,
  });
  expect((await glob('**', { limit: 7 })).isTruncated).toBe(false);
});

test('orders files of the same age by path', async () => {
  const files = await filesFixture();
  await Promise.all(['b', 'a', 'c/d', 'B'].map((name) => files.put(`/workspace/${name}`, name)));
  const { files: found } = await files.glob.execute(ada, { viewId, path: '/', pattern: '**', limit: 9 }, never);
  expect(found.map(({ path }) => path.text)).toEqual(['B', 'a', 'b', 'c/d'].map((name) => `/workspace/${name}`));
});

test('tells what can not be searched', async () => {
  const { glob } = await fixture();
  expect(await failureOf(glob('[', { path: '/workspace/none' }))).toMatchObject({ reason: 'PATTERN_INVALID' });
  expect(await failureOf(glob('*', { path: '/workspace/none' }))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  expect(await failureOf(glob('*', { path: '/none' }))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  expect(await failureOf(glob('*', { path: '/workspace/a.md' }))).toMatchObject({ reason: 'NOT_A_DIRECTORY' });
});

test('ends when nobody waits any more', async () => {
  const { files } = await fixture();
  const gone = AbortSignal.abort(new RangeError('gone'));
  const request = { viewId, path: '/', pattern: '**', limit: 1 };
  await expect(files.glob.execute(ada, request, gone)).rejects.toThrow('gone');
});
