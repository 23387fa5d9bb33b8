import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, type ServiceFixture } from './service-fixture.ts';
import {
  beginOf,
  chunkOf,
  endOf,
  ids,
  mebibyte,
  messagesOf,
  onEachBlobStore,
  onEachDatabase,
  type StreamView,
  sha256,
  streamView,
  type UploadMessage,
  uploadOf,
} from './stream-fixture.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const incomplete = (received: number) => ({
  kind: 'precondition',
  reason: 'UPLOAD_INCOMPLETE',
  facts: { received_bytes: String(received) },
});
const notFound = { kind: 'not-found', reason: 'UPLOAD_NOT_FOUND', facts: {} };

onEachDatabase((open) => suite(open, ['/workspace', '/files', '/notes']));
onEachBlobStore((open) => suite(open, ['/workspace']));

function suite(open: () => Promise<ServiceFixture>, mounts: readonly string[]) {
  let service: ServiceFixture;
  let view: StreamView;
  beforeAll(async () => {
    service = await open();
    view = await streamView(service.as('ada'));
  });
  afterAll(() => service[Symbol.asyncDispose]());

  describe.each(mounts)('on the disk of %s', (mount) => {
    test('takes and gives 32 MiB, byte for byte, whole and in ranges', async () => {
      const data = randomBytes(32 * mebibyte);
      const path = `${mount}/large`;
      const { file, created } = await view.upload(path, data);
      expect({ path: file?.path, size: file?.size, etag: file?.etag, created }).toEqual({
        path,
        size: BigInt(data.length),
        etag: sha256(data),
        created: true,
      });
      const { data: read, files, checksums, largest } = await view.download(path);
      expect(Buffer.compare(read, data)).toBe(0);
      expect(files[0]).toEqual({ path, size: data.length, etag: sha256(data) });
      expect(files.slice(1).filter((told) => told !== undefined)).toEqual([]);
      expect(checksums.at(-1)).toBe(sha256(data));
      expect(checksums.slice(0, -1).filter((told) => told !== '')).toEqual([]);
      expect(largest).toBeLessThanOrEqual(mebibyte);
      const part = await view.download(path, { offset: 9n * BigInt(mebibyte) - 3n, length: 5n * BigInt(mebibyte) });
      const expected = data.subarray(9 * mebibyte - 3, 14 * mebibyte - 3);
      expect(Buffer.compare(part.data, expected)).toBe(0);
      expect(part.checksums.at(-1)).toBe(sha256(expected));
    });

    test('honours create_only and if_match', async () => {
      const path = `${mount}/guarded`;
      const first = await view.upload(path, bytes('one'), { createOnly: true });
      const etag = first.file?.etag ?? '';
      expect(await failure(view.upload(path, bytes('two'), { createOnly: true }))).toMatchObject({
        reason: 'FILE_EXISTS',
      });
      expect(await failure(view.upload(path, bytes('two'), { ifMatch: 'stale' }))).toEqual({
        kind: 'aborted',
        reason: 'ETAG_MISMATCH',
        facts: { path, etag },
      });
      expect((await view.upload(path, bytes('three'), { ifMatch: etag })).created).toBe(false);
      expect(String((await view.download(path)).data)).toBe('three');
      expect(await failure(view.download(path, { ifMatch: etag }))).toMatchObject({ reason: 'ETAG_MISMATCH' });
    });

    test('answers a repeated upload as it did, without its chunks, and refuses another content', async () => {
      const path = `${mount}/repeated`;
      const begin = { uploadId: ids.uuid(), idempotencyKey: ids.uuid(), epoch: 1n };
      const data = randomBytes(300_000);
      const first = await view.upload(path, data, begin);
      await view.upload(path, bytes('written since'));
      expect(await view.upload(path, data, begin)).toEqual(first);
      expect(await view.upload(path, data, { ...begin, uploadId: ids.uuid(), epoch: 2n })).toEqual(first);
      expect(await view.upload(path, data, { ...begin, offset: BigInt(data.length) })).toEqual(first);
      const reused = { kind: 'exists', reason: 'IDEMPOTENCY_KEY_REUSED', facts: {} };
      expect(await failure(view.upload(path, bytes('another'), begin))).toEqual(reused);
      expect(await failure(view.upload(`${path}2`, data, begin))).toEqual(reused);
      expect(String((await view.download(path)).data)).toBe('written since');
    });

    test('writes and reads an empty file', async () => {
      const path = `${mount}/empty`;
      const { client, viewId } = view;
      const begin = beginOf({ viewId, path, uploadId: ids.uuid() });
      const { file } = await client.upload(messagesOf(begin, endOf(sha256(bytes('')))));
      const read = await view.download(path);
      expect({ size: file?.size, read }).toEqual({
        size: 0n,
        read: {
          data: Buffer.of(),
          files: [{ path, size: 0, etag: file?.etag }],
          checksums: [sha256(bytes(''))],
          largest: 0,
        },
      });
    });
  });

  test('goes on where a cut stream has ended, also on another replica', async () => {
    const data = randomBytes(3 * mebibyte + 77);
    const path = '/workspace/cut';
    const begin = { viewId: view.viewId, path, uploadId: ids.uuid() };
    const client = new AbortController();
    async function* cut(): AsyncGenerator<UploadMessage> {
      yield beginOf(begin);
      yield chunkOf(data.subarray(0, mebibyte));
      yield chunkOf(data.subarray(mebibyte, mebibyte + 1001));
      await delay(300);
      client.abort();
      yield chunkOf(data.subarray(mebibyte + 1001, 2 * mebibyte));
    }
    expect(await failure(view.client.upload(cut(), { signal: client.signal }))).toMatchObject({ kind: 'cancelled' });
    await expect.poll(() => view.received(begin.uploadId)).toBe(mebibyte + 1001);
    const wrong = [0n, 1n, BigInt(mebibyte), BigInt(mebibyte) + 1002n];
    for (const offset of wrong) {
      expect(await failure(view.client.upload(uploadOf({ ...begin, offset }, data)))).toEqual(
        incomplete(mebibyte + 1001),
      );
    }
    await using replica = await service.replica();
    const early = messagesOf(
      beginOf({ ...begin, offset: BigInt(mebibyte) + 1001n }),
      chunkOf(data.subarray(mebibyte + 1001, 2 * mebibyte)),
    );
    expect(await failure(replica.as('ada').upload(early))).toEqual(incomplete(2 * mebibyte));
    const offset = 2n * BigInt(mebibyte);
    expect((await view.client.upload(uploadOf({ ...begin, offset }, data, { chunkBytes: 70_001 }))).created).toBe(true);
    expect(Buffer.compare((await view.download(path)).data, data)).toBe(0);
    expect(await failure(view.received(begin.uploadId))).toEqual(notFound);
  });

  test('writes nothing and keeps what came when the checksum is wrong', async () => {
    const data = randomBytes(500_000);
    const begin = { viewId: view.viewId, path: '/workspace/wrong', uploadId: ids.uuid() };
    expect(await failure(view.client.upload(uploadOf(begin, data, { digest: sha256(bytes('other')) })))).toEqual({
      kind: 'invalid',
      reason: 'CHECKSUM_MISMATCH',
      facts: { sha256: sha256(data) },
    });
    expect(await failure(view.download('/workspace/wrong'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    expect(await view.received(begin.uploadId)).toBe(data.length);
    const rest = uploadOf({ ...begin, offset: BigInt(data.length) }, data);
    expect((await view.client.upload(rest)).created).toBe(true);
  });

  test('refuses a file over 32 MiB', async () => {
    const path = '/workspace/over';
    expect(await failure(view.upload(path, Buffer.alloc(32 * mebibyte + 1)))).toEqual({
      kind: 'exhausted',
      reason: 'FILE_TOO_LARGE',
      facts: { path, limit_bytes: String(32 * mebibyte) },
    });
    expect(await failure(view.download(path))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  });

  test('has one winner of streams with the same upload, and never mixes them', async () => {
    const { client, viewId } = view;
    const contents = Array.from({ length: 4 }, (_, index) => Buffer.alloc(2 * mebibyte, `content ${index} `));
    const begin = { viewId, path: '/workspace/raced', uploadId: ids.uuid() };
    const outcomes = await Promise.all(
      contents.map((data) => failure(client.upload(uploadOf(begin, data, { chunkBytes: 100_000 })))),
    );
    const winners = outcomes.filter(({ reason }) => reason === 'it did not fail');
    expect(outcomes.filter((outcome) => !winners.includes(outcome)).map(({ reason }) => reason)).toEqual(
      Array.from({ length: 4 - winners.length }, () => 'UPLOAD_INCOMPLETE'),
    );
    expect(winners.length).toBeGreaterThan(0);
    const { data } = await view.download('/workspace/raced');
    expect(contents.some((content) => Buffer.compare(content, data) === 0)).toBe(true);
  });

  test('refuses messages that are no upload', async () => {
    const { client, viewId } = view;
    const begin = () => beginOf({ viewId, path: '/workspace/odd', uploadId: ids.uuid() });
    const [chunk, end] = [chunkOf(bytes('x')), endOf(sha256(bytes('x')))];
    const odd: UploadMessage[][] = [
      [],
      [chunk, end],
      [end],
      [begin(), begin(), chunk, end],
      [begin(), chunk, end, chunk],
      [begin(), chunk, end, end],
      [begin(), {}],
      [begin(), chunkOf(Buffer.alloc(mebibyte + 1)), end],
      [begin(), chunk, endOf('no checksum')],
      [beginOf({ viewId: 'no uuid', path: '/workspace/odd', uploadId: ids.uuid() }), end],
      [beginOf({ viewId, path: '/workspace/odd', uploadId: '../odd' }), end],
      [beginOf({ viewId, path: '/workspace/odd', uploadId: ids.uuid(), ifMatch: 'x', createOnly: true }), end],
      [beginOf({ viewId, path: '/workspace/odd', uploadId: ids.uuid(), offset: -1n }), end],
    ];
    const reasons = [];
    for (const messages of odd) {
      reasons.push((await failure(client.upload(messagesOf(...messages)))).reason);
    }
    expect(reasons).toEqual(odd.map(() => 'INVALID_FIELD'));
    expect(await failure(client.upload(messagesOf(begin(), chunk)))).toEqual(incomplete(1));
    expect(await failure(view.download('/workspace/odd'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  });

  test('keeps uploads and streams of others apart', async () => {
    const bob = service.as('bob');
    const begin = { viewId: view.viewId, path: '/workspace/x', uploadId: ids.uuid() };
    const theirs = { kind: 'not-found', reason: 'VIEW_NOT_FOUND', facts: {} };
    expect(await failure(bob.upload(uploadOf(begin, bytes('x'))))).toEqual(theirs);
    expect(await failure(bob.getUpload({ viewId: view.viewId, uploadId: begin.uploadId }))).toEqual(theirs);
    expect(await failure(view.received(begin.uploadId))).toEqual(notFound);
    expect(await failure(view.upload('/shelf/x', bytes('x')))).toMatchObject({ reason: 'MOUNT_READ_ONLY' });
    expect(await failure(view.download('/workspace'))).toMatchObject({ reason: 'NOT_A_FILE' });
    expect(await failure(view.download('/shelf/none'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  });

  test('has 16 open streams a session at most', async () => {
    const own = await streamView(service.as('ada'));
    await own.upload('/workspace/file', randomBytes(8 * mebibyte));
    const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
    const opened = Array.from({ length: 16 }, (_, index) => {
      async function* slow(): AsyncGenerator<UploadMessage> {
        yield beginOf({ viewId: own.viewId, path: `/workspace/slow${index}`, uploadId: ids.uuid() });
        await ended;
      }
      return failure(own.client.upload(slow()));
    });
    const tooMany = { kind: 'exhausted', reason: 'TOO_MANY_STREAMS', facts: { limit: '16' } };
    await expect
      .poll(() => failure(own.download('/workspace/file', { length: 1n })), { timeout: 5000 })
      .toEqual(tooMany);
    expect(await failure(own.upload('/workspace/another', bytes('x')))).toEqual(tooMany);
    end(undefined);
    expect(await Promise.all(opened)).toEqual(opened.map(() => incomplete(0)));
    expect((await own.download('/workspace/file')).data.length).toBe(8 * mebibyte);
  });

  test('shows what a run uploads to the run alone until it is published', async () => {
    const run = await streamView(service.as('ada'), { runLayer: true });
    const other = await streamView(service.as('ada'), { sessionId: run.sessionId });
    const data = randomBytes(9 * mebibyte);
    const key = { idempotencyKey: 'k', uploadId: ids.uuid() };
    const first = await run.upload('/workspace/of-run', data, { epoch: 1n, ...key });
    expect(await run.upload('/workspace/of-run', data, { epoch: 1n, ...key })).toEqual(first);
    expect(Buffer.compare((await run.download('/workspace/of-run')).data, data)).toBe(0);
    expect(await failure(other.download('/workspace/of-run'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    await run.upload('/files/of-run', data, { epoch: 1n });
    const committed = await run.client.commitRun({ viewId: run.viewId, epoch: 1n });
    expect(committed.outputs.map(({ path, size }) => [path, size])).toEqual([
      ['/workspace/of-run', BigInt(data.length)],
    ]);
    expect(Buffer.compare((await other.download('/workspace/of-run')).data, data)).toBe(0);
    expect(Buffer.compare((await other.download('/files/of-run')).data, data)).toBe(0);
    expect(await failure(run.upload('/workspace/late', data))).toMatchObject({ reason: 'VIEW_CLOSED' });
  });

  test('ends a download of a file that changes where there are no versions, and goes on elsewhere', async () => {
    const data = randomBytes(20 * mebibyte);
    const read = async (path: string) => {
      await view.upload(path, data);
      const chunks: Uint8Array[] = [];
      for await (const { chunk } of view.client.download({ viewId: view.viewId, path })) {
        if (chunks.length === 0) {
          await view.upload(path, bytes('another content'));
        }
        chunks.push(chunk);
      }
      return sha256(Buffer.concat(chunks));
    };
    expect(await read('/workspace/changing')).toBe(sha256(data));
    expect(await failure(read('/notes/changing'))).toMatchObject({ reason: 'ETAG_MISMATCH' });
  });
}
