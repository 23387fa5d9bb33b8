import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { failure, openView, serviceFixture } from './service-fixture.ts';

test('lists and restores versions over the wire', async () => {
  await using service = await serviceFixture();
  const view = await openView(service.as('ada'));
  const { client, viewId } = view;
  const path = '/workspace/a.txt';
  const first = await view.put(path, 'one');
  const second = await view.put(path, 'three');
  const { versions } = await client.listVersions({ viewId, path });
  const [newest, oldest] = versions;
  const $typeName = 'spanwise.filesystem.v1.FileVersion';
  expect(versions).toEqual([
    { $typeName, version: 2n, size: 5n, etag: second.file?.etag, modifyTime: second.file?.modifyTime, current: true },
    { $typeName, version: 1n, size: 3n, etag: first.file?.etag, modifyTime: first.file?.modifyTime, current: false },
  ]);
  const version = oldest?.version ?? 0n;
  const request = { viewId, path, version, ifMatch: newest?.etag ?? '', idempotencyKey: 'once' };
  const { file } = await client.restore(request);
  expect([file?.path, file?.etag, await view.text(path)]).toEqual([path, first.file?.etag, 'one']);
  expect(await client.restore(request)).toEqual({ $typeName: 'spanwise.filesystem.v1.RestoreResponse', file });
  expect((await client.listVersions({ viewId, path })).versions.length).toBe(3);
  expect(await failure(client.restore({ viewId, path, version: 99n }))).toEqual({
    kind: 'not-found',
    reason: 'VERSION_NOT_FOUND',
    facts: { path },
  });
  expect(await failure(client.listVersions({ viewId, path: '/notes/a' }))).toEqual({
    kind: 'unsupported',
    reason: 'DISK_UNSUPPORTED',
    facts: { disk: 'notes' },
  });
});

test('throws away what is not to be kept as a step of its own, and says what', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-retain-'));
  try {
    const env = { ...process.env, SPANWISE_DATABASE_URL: `sqlite:${folder}/fs.db` };
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const run = (step: string) => promisify(execFile)(process.execPath, [main, step], { env });
    await run('migrate');
    expect((await run('retain')).stdout).toBe(
      'Pruned 0 versions. Dropped the changes of 0 runs. Forgot 0 keys, 0 uploads, stored blobs and outputs of tools.\n',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
