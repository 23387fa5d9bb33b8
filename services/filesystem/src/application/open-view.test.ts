import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { ada, bob, failureOf, filesFixture, sessionId, viewId } from '../../tests/files-fixture.ts';

test('opens the same view again', async () => {
  const files = await filesFixture();
  const first = await files.openView.execute(ada, { viewId, sessionId });
  files.clock.advance(1000);
  const views = await Promise.all(Array.from({ length: 10 }, () => files.openView.execute(ada, { viewId, sessionId })));
  expect(views).toEqual(Array.from({ length: 10 }, () => first));
  expect(first.mounts.map(({ path, sources: [{ remote }] }) => `${path.text} ${remote.text}`)).toEqual([
    '/library /',
    `/workspace /ada/${sessionId}`,
  ]);
});

test("does not open somebody else's view, nor one of another session", async () => {
  const files = await filesFixture();
  const other = brandId<SessionId>('00000000-0000-7000-8000-0000000000b2');
  const notFound = { reason: 'VIEW_NOT_FOUND', facts: {} };
  expect(await failureOf(files.openView.execute(bob, { viewId, sessionId }))).toEqual(notFound);
  expect(await failureOf(files.openView.execute(ada, { viewId, sessionId: other }))).toEqual(notFound);
});

test('lets the runs of a session share its files, and nobody else see them', async () => {
  const files = await filesFixture();
  await files.put('/workspace/x', 'of the session');
  const nextRun = brandId<RunId>('00000000-0000-7000-8000-0000000000a2');
  const foreign = brandId<RunId>('00000000-0000-7000-8000-0000000000a3');
  await files.openView.execute(ada, { viewId: nextRun, sessionId });
  await files.openView.execute(bob, { viewId: foreign, sessionId });
  const { signal } = new AbortController();
  const read = (caller: typeof ada, view: string) =>
    files.readFile.execute(caller, { viewId: view, path: '/workspace/x', offset: 0, length: 0 }, signal);
  expect((await read(ada, nextRun)).node.size).toBe(14);
  expect(await failureOf(read(bob, foreign))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
});
