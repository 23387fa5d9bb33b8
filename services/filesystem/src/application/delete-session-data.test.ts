import { expect, test } from 'vitest';
import { ada, failureOf, filesFixture, mount, never, sessionId, viewId } from '../../tests/files-fixture.ts';
import { openSession } from '../../tests/session-under-test.ts';
import type { FileStore } from '../domain/disk/file-store.ts';

const mounts = [
  mount('/workspace', { remote: '/{uid}/{session_id}', isOutput: true }),
  mount('/inbox', { remote: '/in/{session_id}/now', isReadOnly: true }),
  mount('/home', { remote: '/home/{uid}' }),
  mount('/all', { remote: '/', isReadOnly: true }),
];

test('deletes the files of mounts that are private to the session, and leaves those of others', async () => {
  const files = await filesFixture({ mounts });
  const bystander = await openSession(files);
  await files.put('/workspace/deep/file', 'private');
  await files.put('/home/file', 'of the user');
  await bystander.write('/workspace/file', 'of another session');
  await files.deleteSessionData.execute(ada, sessionId, never);
  const found: string[] = [];
  for (const folder of ['/all/ada', '/all/home/ada']) {
    const request = { viewId: bystander.viewId, path: folder, pageSize: 10, pageToken: '' };
    found.push(...(await files.list.execute(ada, request, never)).entries.map(({ path }) => path.text));
  }
  expect(found).toEqual([`/all/ada/${bystander.sessionId}`, '/all/home/ada/file']);
});

test('is fine for a session that nobody knows, and again', async () => {
  const files = await filesFixture({ mounts });
  await files.deleteSessionData.execute(ada, sessionId, never);
  await files.deleteSessionData.execute(ada, sessionId, never);
  expect(await failureOf(files.put('/home/file', 'x'))).toEqual({ reason: 'VIEW_NOT_FOUND', facts: {} });
});

test('forgets nothing while a disk with files of the session can not be reached', async () => {
  const disks = new Map<string, FileStore>((await filesFixture()).disks);
  const files = await filesFixture({ mounts, disks });
  await files.put('/workspace/file', 'private');
  const work = disks.get('work');
  disks.delete('work');
  expect(await failureOf(files.deleteSessionData.execute(ada, sessionId, never))).toMatchObject({
    reason: 'DISK_UNAVAILABLE',
  });
  disks.set('work', work ?? expect.fail('there is a disk'));
  expect(await files.text('/workspace/file')).toBe('private');
  expect(await failureOf(files.put('/workspace/file', 'late'))).toMatchObject({ reason: 'VIEW_NOT_FOUND' });
  await files.deleteSessionData.execute(ada, sessionId, never);
  const reading = files.readFile.execute(ada, { viewId, path: '/workspace/file', offset: 0, length: 0 }, never);
  expect(await failureOf(reading)).toMatchObject({ reason: 'VIEW_NOT_FOUND' });
});
