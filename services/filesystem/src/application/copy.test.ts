import { expect, test } from 'vitest';
import { ada, failureOf, filesFixture, mount, never, sessionId, utf8, viewId } from '../../tests/files-fixture.ts';
import { diskUnavailable } from '../domain/disk/disk-errors.ts';
import type { FileStore } from '../domain/disk/file-store.ts';
import { maxStreamedBytes } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import { MemoryDisk } from '../infrastructure/disks/memory/memory-disk.ts';

/** Two disks, of which the second can fail at one path. */
async function copying() {
  const clock = { nowMs: () => 1 };
  const target = new MemoryDisk({ clock });
  const fault: { path?: string } = {};
  const failing = new Proxy<FileStore>(target, {
    get: (disk, name) => {
      const value: unknown = Reflect.get(disk, name, disk);
      if (name === 'write') {
        return async (...args: Parameters<FileStore['write']>) => {
          if (args[1].text === fault.path) {
            throw diskUnavailable('target');
          }
          return disk.write(...args);
        };
      }
      return typeof value === 'function' ? value.bind(disk) : value;
    },
  });
  const disks = new Map<string, FileStore>([
    ['source', new MemoryDisk({ clock })],
    ['target', failing],
  ]);
  const mounts = [mount('/source', { disk: 'source' }), mount('/target', { disk: 'target', isOutput: true })];
  const files = await filesFixture({ disks, mounts });
  const copy = (fromPath: string, toPath: string, key?: string) => {
    const once = key === undefined ? undefined : { key, requestHash: `${fromPath} ${toPath}` };
    return files.copy.execute(ada, { viewId, fromPath, toPath, epoch: 3, once }, never);
  };
  return { ...files, copy, fault, source: disks.get('source') ?? target };
}

test('goes on with the same key after a failure in the middle, and leaves no half file', async () => {
  const files = await copying();
  const { copy, fault } = files;
  for (const name of ['a', 'b', 'c']) {
    await files.put(`/source/d/${name}`, `content of ${name}`);
  }
  fault.path = '/to/b';
  expect(await failureOf(copy('/source/d', '/target/to', 'k'))).toMatchObject({ reason: 'DISK_UNAVAILABLE' });
  expect(await files.names('/target/to')).toEqual(['/target/to/a']);
  fault.path = '';
  expect(await failureOf(copy('/source/d', '/target/to'))).toMatchObject({ reason: 'FILE_EXISTS' });
  const outcome = await copy('/source/d', '/target/to', 'k');
  expect({ path: outcome.path.text, kind: outcome.node.kind, files: outcome.files }).toEqual({
    path: '/target/to',
    kind: 'directory',
    files: 3,
  });
  expect(await copy('/source/d', '/target/to', 'k')).toEqual(outcome);
  expect(await files.text('/target/to/b')).toBe('content of b');
});

test('does not take what somebody else has put there for its own', async () => {
  const files = await copying();
  const { copy, fault } = files;
  await files.put('/source/d/a', 'a');
  await files.put('/source/d/b', 'b');
  fault.path = '/to/b';
  await failureOf(copy('/source/d', '/target/to', 'k'));
  fault.path = '';
  await files.put('/target/to/b', 'of somebody else');
  expect(await failureOf(copy('/source/d', '/target/to', 'k'))).toEqual({
    reason: 'FILE_EXISTS',
    facts: { path: '/target/to/b' },
  });
  expect(await files.text('/target/to/b')).toBe('of somebody else');
});

test('copies 10,000 paths at most', async () => {
  const files = await copying();
  const { source, copy } = files;
  for (let index = 0; index < 10_000; index += 1) {
    await source.write(ada, VirtualPath.parse(`/d/f${index}`), utf8('x'), {}, never);
  }
  expect(await failureOf(copy('/source/d', '/target/d'))).toEqual({
    reason: 'TOO_MANY_CHANGES',
    facts: { limit: 10_000 },
  });
  await source.remove(ada, VirtualPath.parse('/d/f0'), { isRecursive: false }, never);
  expect((await copy('/source/d', '/target/d')).files).toBe(9999);
  expect((await files.names('/target/d')).length).toBe(1000);
});

test('copies no file over 32 MiB', async () => {
  const { source, copy } = await copying();
  await source.write(ada, VirtualPath.parse('/large'), new Uint8Array(maxStreamedBytes + 1), {}, never);
  expect(await failureOf(copy('/source/large', '/target/large'))).toEqual({
    reason: 'FILE_TOO_LARGE',
    facts: { path: '/source/large', limit_bytes: maxStreamedBytes },
  });
});

test('copies nothing for a dispatch that is fenced', async () => {
  const files = await copying();
  const { copy, fence } = files;
  await files.put('/source/d/a', 'a');
  await fence.execute({ sessionId, epoch: 4, stop: false });
  expect(await failureOf(copy('/source/d', '/target/d'))).toEqual({ reason: 'FENCED', facts: {} });
  expect(await failureOf(files.stat.execute(ada, { viewId, path: '/target/d' }, never))).toMatchObject({
    reason: 'FILE_NOT_FOUND',
  });
});
