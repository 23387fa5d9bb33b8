import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, type ServiceFixture } from './service-fixture.ts';
import { mebibyte, onEachDatabase, type StreamView, sha256, streamView } from './stream-fixture.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

onEachDatabase((open) => {
  let service: ServiceFixture;
  beforeAll(async () => {
    service = await open();
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const put = (view: StreamView, path: string, text: string) =>
    view.client.write({ viewId: view.viewId, path, data: bytes(text), epoch: 1n });
  const text = async (view: StreamView, path: string) => String((await view.download(path)).data);
  const names = async (view: StreamView, path: string) =>
    (await view.client.list({ viewId: view.viewId, path })).entries.map((entry) => entry.path);
  const outputs = async (view: StreamView) =>
    (await view.client.listOutputs({ viewId: view.viewId })).files.map(({ path }) => path);

  describe.each([false, true])('in a view with a layer: %s', (runLayer) => {
    test('copies files and directories, over mounts and disks, and logs them as outputs', async () => {
      const view = await streamView(service.as('ada'), { runLayer });
      const data = randomBytes(9 * mebibyte);
      await view.upload('/workspace/d/large', data, { epoch: 1n });
      await put(view, '/workspace/d/deep/small', 'small');
      await view.client.makeDirectory({ viewId: view.viewId, path: '/workspace/d/empty', epoch: 1n });
      const copied = [];
      for (const [from, to] of [
        ['/workspace/d', '/workspace/e/d'],
        ['/workspace/d', '/files/d'],
        ['/files/d', '/notes/d'],
        ['/notes/d', '/workspace/back'],
        ['/shelf', '/workspace/shelf'],
        ['/workspace/d/deep/small', '/notes/single'],
      ] as const) {
        const { file, files } = await view.copy(from, to);
        copied.push([file?.path, file?.kind, files]);
      }
      expect(copied.slice(0, 4)).toEqual(
        ['/workspace/e/d', '/files/d', '/notes/d', '/workspace/back'].map((path) => [path, 2, 2]),
      );
      expect(copied.at(-1)).toEqual(['/notes/single', 1, 1]);
      for (const top of ['/workspace/e/d', '/files/d', '/notes/d', '/workspace/back']) {
        expect(await names(view, top)).toEqual([`${top}/deep`, `${top}/empty`, `${top}/large`]);
        expect(await text(view, `${top}/deep/small`)).toBe('small');
        expect(sha256((await view.download(`${top}/large`)).data)).toBe(sha256(data));
      }
      expect(await text(view, '/workspace/shelf/book.md')).toContain('A book');
      expect(await text(view, '/notes/single')).toBe('small');
      const logged = await outputs(view);
      expect(logged).toEqual(
        expect.arrayContaining([
          '/workspace/back/deep/small',
          '/workspace/back/large',
          '/workspace/e/d/deep/small',
          '/workspace/e/d/large',
          '/workspace/shelf/book.md',
        ]),
      );
      for (const path of ['/files/d', '/notes/d', '/notes/single']) {
        await view.client.delete({ viewId: view.viewId, path, recursive: true, epoch: 1n });
      }
    });

    test('copies once with a key, and refuses what can not be copied', async () => {
      const view = await streamView(service.as('ada'), { runLayer });
      await put(view, '/workspace/a/x', 'x');
      await put(view, '/workspace/file', 'f');
      const first = await view.copy('/workspace/a', '/workspace/b', 'k');
      await view.client.delete({ viewId: view.viewId, path: '/workspace/a', recursive: true, epoch: 1n });
      await put(view, '/workspace/b/since', 's');
      expect(await view.copy('/workspace/a', '/workspace/b', 'k')).toEqual(first);
      expect(await names(view, '/workspace/b')).toEqual(['/workspace/b/since', '/workspace/b/x']);
      const refused: [string, string, string?][] = [
        ['/workspace/none', '/workspace/c'],
        ['/workspace/b', '/workspace/file'],
        ['/workspace/b', '/workspace/b'],
        ['/workspace/b', '/notes'],
        ['/workspace/b', '/workspace/b/in/it'],
        ['/', '/workspace/all'],
        ['/workspace/b', '/shelf/b'],
        ['/workspace/file', '/workspace/file/below'],
        ['/workspace/b', '/workspace/c', 'k'],
      ];
      const reasons = [];
      for (const [from, to, key] of refused) {
        reasons.push((await failure(view.copy(from, to, key))).reason);
      }
      expect(reasons).toEqual([
        'FILE_NOT_FOUND',
        'FILE_EXISTS',
        'FILE_EXISTS',
        'FILE_EXISTS',
        'PATH_INVALID',
        'PATH_INVALID',
        'MOUNT_READ_ONLY',
        expect.stringMatching(/NOT_A_DIRECTORY|PATH_INVALID/),
        'IDEMPOTENCY_KEY_REUSED',
      ]);
    });
  });

  test('shows what a run copies to the run alone until it is published', async () => {
    const run = await streamView(service.as('ada'), { runLayer: true });
    const other = await streamView(service.as('ada'), { sessionId: run.sessionId });
    await put(run, '/workspace/a/x', 'x');
    await run.copy('/workspace/a', '/workspace/b');
    expect(await failure(other.download('/workspace/b/x'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    const { outputs: told } = await run.client.commitRun({ viewId: run.viewId, epoch: 1n });
    expect(told.map(({ path }) => path)).toEqual(['/workspace/a/x', '/workspace/b/x']);
    expect(await text(other, '/workspace/b/x')).toBe('x');
  });

  test('takes 16 copies with one key at the same time as one', async () => {
    const view = await streamView(service.as('ada'));
    await put(view, '/workspace/from/a', 'a');
    await put(view, '/workspace/from/deep/b', 'b');
    for (const to of ['/workspace/same', '/notes/same']) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => view.copy('/workspace/from', to, to)));
      expect(answers).toEqual(answers.map(() => answers[0]));
      expect(answers[0]?.files).toBe(2);
      expect(await text(view, `${to}/deep/b`)).toBe('b');
    }
  });
});
