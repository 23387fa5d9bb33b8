import { fakeClock } from '@spanwise/testing';
import { expect, test } from 'vitest';
import { ada, bob, failureOf, filesFixture, mount, never, utf8, viewId } from '../../tests/files-fixture.ts';
import { diskUnavailable } from '../domain/disk/disk-errors.ts';
import type { FileStore, WriteGuard } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { MountTemplate } from '../domain/view/mount-template.ts';
import { MemoryDisk } from '../infrastructure/disks/memory/memory-disk.ts';

const nested = [
  mount('/workspace', { remote: '/w', isOutput: true }),
  mount('/workspace/deep/books', { disk: 'books', isReadOnly: true }),
  mount('/also', { remote: '/w/shared' }),
];

test('shows the directories above mounts, before anything was written', async () => {
  const files = await filesFixture({ mounts: nested });
  expect(await files.names('/')).toEqual(['/also', '/workspace']);
  expect(await files.names('/workspace')).toEqual(['/workspace/deep']);
  expect(await files.names('/workspace/deep')).toEqual(['/workspace/deep/books']);
  expect(await files.names('/workspace/deep/books')).toEqual([]);
  for (const path of ['/', '/workspace', '/workspace/deep', '/workspace/deep/books']) {
    const { node } = await files.stat.execute(ada, { viewId, path }, never);
    expect(node).toEqual({ kind: 'directory', modifyTimeMs: undefined });
  }
});

test('lists mounts among files, page by page, in place of what they hide', async () => {
  const files = await filesFixture({ mounts: nested });
  await Promise.all(['a', 'd', 'e'].map((name) => files.put(`/workspace/${name}`, name)));
  await files.disks.get('work')?.write(ada, VirtualPath.parse('/w/deep'), utf8('hidden'), {}, never);
  const pages: string[][] = [];
  let pageToken = '';
  do {
    const page = await files.list.execute(ada, { viewId, path: '/workspace', pageSize: 2, pageToken }, never);
    pages.push(page.entries.map(({ path, node }) => `${path.name} ${node.kind}`));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(pages).toEqual([
    ['a file', 'd file'],
    ['deep directory', 'e file'],
  ]);
});

test('refuses in the one order: view, path, mount, read-only, guard, disk', async () => {
  const files = await filesFixture();
  const write = (caller: typeof ada, view: string, path: string, guard: WriteGuard = {}) =>
    failureOf(files.writeFile.execute(caller, { viewId: view, path, data: utf8('x'), ...guard }, never));
  expect(await write(bob, viewId, '../x')).toEqual({ reason: 'VIEW_NOT_FOUND', facts: {} });
  expect(await write(ada, 'no-such-view', '../x')).toEqual({ reason: 'VIEW_NOT_FOUND', facts: {} });
  expect(await write(ada, viewId, '/library/../x')).toMatchObject({ reason: 'PATH_INVALID' });
  expect(await write(ada, viewId, '/elsewhere/x')).toEqual({
    reason: 'FILE_NOT_FOUND',
    facts: { path: '/elsewhere/x' },
  });
  expect(await write(ada, viewId, '/library/x', { ifMatch: 'stale' })).toEqual({
    reason: 'MOUNT_READ_ONLY',
    facts: { path: '/library/x', mount: '/library' },
  });
  await files.put('/workspace/f', 'x');
  expect(await write(ada, viewId, '/workspace/f/below', { ifMatch: 'stale' })).toEqual({
    reason: 'ETAG_MISMATCH',
    facts: { path: '/workspace/f/below', etag: '' },
  });
});

test('keeps mounts and what is above them from being deleted, moved and replaced', async () => {
  const files = await filesFixture({ mounts: nested });
  await files.put('/workspace/x', 'x');
  const remove = (path: string) =>
    failureOf(files.delete.execute(ada, { viewId, path, isRecursive: true, ifMatch: undefined }, never));
  const move = (fromPath: string, toPath: string) =>
    failureOf(files.move.execute(ada, { viewId, fromPath, toPath }, never));
  const fixed = (path: string) => ({ reason: 'MOUNT_READ_ONLY', facts: { path, mount: path } });
  expect(await remove('/')).toEqual(fixed('/'));
  expect(await remove('/workspace')).toEqual(fixed('/workspace'));
  expect(await remove('/workspace/deep')).toEqual(fixed('/workspace/deep'));
  expect(await move('/workspace', '/also/w')).toEqual(fixed('/workspace'));
  expect(await move('/workspace/deep', '/workspace/d')).toEqual(fixed('/workspace/deep'));
  expect(await move('/workspace/x', '/also')).toEqual({ reason: 'FILE_EXISTS', facts: { path: '/also' } });
  expect(await failureOf(files.put('/workspace/deep', 'x'))).toEqual({
    reason: 'NOT_A_FILE',
    facts: { path: '/workspace/deep' },
  });
  expect(await failureOf(files.put('/', 'x'))).toEqual({ reason: 'NOT_A_FILE', facts: { path: '/' } });
  expect(await files.text('/workspace/x')).toBe('x');
});

test('tells failures in paths of the view, never in those of the disk', async () => {
  const files = await filesFixture();
  await files.put('/workspace/f', 'x');
  const failures = await Promise.all([
    failureOf(files.put('/workspace/f/a/b', 'x')),
    failureOf(files.text('/workspace/none')),
    failureOf(files.move.execute(ada, { viewId, fromPath: '/workspace/f', toPath: '/workspace/f/g' }, never)),
  ]);
  expect(failures).toEqual([
    { reason: 'NOT_A_DIRECTORY', facts: { path: '/workspace/f' } },
    { reason: 'FILE_NOT_FOUND', facts: { path: '/workspace/none' } },
    { reason: 'PATH_INVALID', facts: { path: '/workspace/f/g', why: 'it lies within what is moved' } },
  ]);
  await expect(files.text('/workspace/none')).rejects.toThrow('Nothing is at "/workspace/none".');
});

test('moves between two mounts of one disk, and not between two disks', async () => {
  const files = await filesFixture({
    mounts: [...nested.slice(0, 1), mount('/also', { remote: '/other' }), mount('/books', { disk: 'books' })],
  });
  await files.put('/workspace/x', 'x');
  const { path } = await files.move.execute(ada, { viewId, fromPath: '/workspace/x', toPath: '/also/y/z' }, never);
  expect(path.text).toBe('/also/y/z');
  expect(await files.text('/also/y/z')).toBe('x');
  const across = files.move.execute(ada, { viewId, fromPath: '/also/y/z', toPath: '/books/z' }, never);
  expect(await failureOf(across)).toEqual({ reason: 'CROSS_DISK', facts: { path: '/books/z' } });
  await files.put('/workspace/file', 'x');
  const missing = files.move.execute(ada, { viewId, fromPath: '/workspace/none', toPath: '/also/n' }, never);
  expect(await failureOf(missing)).toEqual({ reason: 'FILE_NOT_FOUND', facts: { path: '/workspace/none' } });
  const taken = files.move.execute(ada, { viewId, fromPath: '/workspace/file', toPath: '/also/y' }, never);
  expect(await failureOf(taken)).toEqual({ reason: 'FILE_EXISTS', facts: { path: '/also/y' } });
});

test('refuses a guard that a disk can not honour, and a disk that is not there', async () => {
  const memory = new MemoryDisk({ clock: fakeClock() });
  const plain: FileStore = Object.assign(Object.create(memory) as FileStore, {
    capabilities: { ifMatch: false, createOnly: false, atomic: false },
    write: memory.write.bind(memory),
  });
  const files = await filesFixture({ disks: new Map([['work', plain]]) });
  const write = (guard: WriteGuard) =>
    failureOf(files.writeFile.execute(ada, { viewId, path: '/workspace/x', data: utf8('x'), ...guard }, never));
  expect(await write({ ifMatch: 'e' })).toEqual({ reason: 'DISK_UNSUPPORTED', facts: { disk: 'work' } });
  expect(await write({ createOnly: true })).toEqual({ reason: 'DISK_UNSUPPORTED', facts: { disk: 'work' } });
  expect(await write({})).toBe('it did not fail');
  expect(await failureOf(files.names('/library'))).toEqual({ reason: 'DISK_UNAVAILABLE', facts: { disk: 'books' } });
});

test('passes the caller with the token on to the disk', async () => {
  const memory = new MemoryDisk({ clock: fakeClock() });
  const seen: unknown[] = [];
  const watching: FileStore = Object.assign(Object.create(memory) as FileStore, {
    stat: async (caller: unknown) => {
      seen.push(caller);
      return undefined;
    },
  });
  const files = await filesFixture({ disks: new Map([['work', watching]]) });
  await failureOf(files.stat.execute(ada, { viewId, path: '/workspace/x' }, never));
  expect(seen).toEqual([ada]);
});

test('makes directories, and finds fixed ones made', async () => {
  const files = await filesFixture();
  const make = (path: string) => files.makeDirectory.execute(ada, { viewId, path }, never);
  expect((await make('/workspace/a/b')).node.kind).toBe('directory');
  expect((await make('/')).node.kind).toBe('directory');
  expect((await make('/workspace')).node.kind).toBe('directory');
  expect(await failureOf(make('/library'))).toMatchObject({ reason: 'MOUNT_READ_ONLY' });
  expect(await failureOf(make('/other'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  expect(await files.names('/workspace')).toEqual(['/workspace/a']);
});

test('lists only what a path leads to', async () => {
  const files = await filesFixture({ mounts: [mount('/', { remote: '/' }), mount('/w', { remote: '/' })] });
  for (const name of ['~home', 'c:', 'x']) {
    await files.disks.get('work')?.write(ada, VirtualPath.root.child(name), utf8(name), {}, never);
  }
  expect(await files.names('/')).toEqual(['/w', '/x']);
  expect(await files.names('/w')).toEqual(['/w/c:', '/w/x', '/w/~home']);
  expect(await files.text('/w/~home')).toBe('~home');
});

test('shows a union, and names the optional sources whose disks can not be reached', async () => {
  const clock = fakeClock();
  const [work, books] = [new MemoryDisk({ clock }), new MemoryDisk({ clock })];
  const fail = () => Promise.reject(diskUnavailable('far'));
  const far: FileStore = Object.assign(new MemoryDisk({ clock }), { stat: fail, list: fail, read: fail });
  const source = (disk: string, priority: number, isOptional = false) => ({ disk, remote: '/', priority, isOptional });
  const sources: MountTemplate['sources'] = [source('far', 3, true), source('work', 2), source('books', 1)];
  const union = { path: VirtualPath.parse('/docs'), sources, isReadOnly: true, isOutput: false };
  const disks = new Map([...Object.entries({ work, books, far })]);
  const files = await filesFixture({ mounts: [union], disks });
  await work.write(ada, VirtualPath.parse('/a/new'), utf8('new'), {}, never);
  await books.write(ada, VirtualPath.parse('/a/old'), utf8('old'), {}, never);
  const page = await files.list.execute(ada, { viewId, path: '/docs/a', pageSize: 10, pageToken: '' }, never);
  expect(page.entries.map(({ path }) => path.text)).toEqual(['/docs/a/new', '/docs/a/old']);
  expect(page.partialSources).toEqual(['far']);
  const found = await files.glob.execute(ada, { viewId, path: '/', pattern: '**', limit: 10 }, never);
  expect([found.files.length, found.partialSources]).toEqual([2, ['far']]);
  const write = files.writeFile.execute(ada, { viewId, path: '/docs/a/new', data: utf8('x') }, never);
  expect(await failureOf(write)).toMatchObject({ reason: 'MOUNT_READ_ONLY' });
});
