import { createHash } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type DownloadRequestSchema,
  type UploadBeginSchema,
  type UploadRequestSchema,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { randomIds } from '@spanwise/kernel';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import { describe } from 'vitest';
import { objectBlobsYaml } from './blobs-fixture.ts';
import { S3Stub } from './s3-stub.ts';
import { type FilesClient, type ServiceFixture, serviceFixture } from './service-fixture.ts';

export const mebibyte: number = 1024 * 1024;
export const ids = randomIds();

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Runs a suite on the service with each database. */
export function onEachDatabase(suite: (open: () => Promise<ServiceFixture>) => void): void {
  describe('on SQLite', () => suite(() => serviceFixture()));
  describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () =>
    suite(async () => {
      const fresh = await freshDatabase(mysqlServerUrl ?? '');
      const service = await serviceFixture(fresh.url);
      return {
        ...service,
        async [Symbol.asyncDispose]() {
          await service[Symbol.asyncDispose]();
          await fresh[Symbol.asyncDispose]();
        },
      };
    }),
  );
}

/** Runs a suite on the service with content outside of its database. */
export function onEachBlobStore(suite: (open: () => Promise<ServiceFixture>) => void): void {
  describe('with content in a folder', () =>
    suite(() => serviceFixture(undefined, 'blobs: {store: folder, path: ./blobs, threshold: 1}\n')));
  describe('with content in objects', () =>
    suite(async () => {
      const stub = await S3Stub.open();
      const service = await serviceFixture(undefined, objectBlobsYaml(stub.endpoint));
      return {
        ...service,
        async [Symbol.asyncDispose]() {
          await service[Symbol.asyncDispose]();
          await stub[Symbol.asyncDispose]();
        },
      };
    }));
}

type Begin = MessageInitShape<typeof UploadBeginSchema>;
export type UploadMessage = MessageInitShape<typeof UploadRequestSchema>;

export function beginOf(value: Begin): UploadMessage {
  return { part: { case: 'begin', value } };
}

export function chunkOf(value: Uint8Array): UploadMessage {
  return { part: { case: 'chunk', value } };
}

export function endOf(digest: string): UploadMessage {
  return { part: { case: 'end', value: { sha256: digest } } };
}

/** The messages of a whole upload, or of what is left of it from `offset` on. */
export async function* uploadOf(
  begin: Begin,
  data: Uint8Array,
  { chunkBytes = mebibyte, digest = sha256(data) } = {},
): AsyncGenerator<UploadMessage> {
  yield beginOf(begin);
  for (let start = Number(begin.offset ?? 0); start < data.length; start += chunkBytes) {
    yield chunkOf(data.subarray(start, start + chunkBytes));
  }
  yield endOf(digest);
}

export async function* messagesOf(...messages: readonly UploadMessage[]): AsyncGenerator<UploadMessage> {
  yield* messages;
}

/** A view with short ways to stream its files. */
export async function streamView(client: FilesClient, options: { runLayer?: boolean; sessionId?: string } = {}) {
  const { runLayer = false, sessionId = ids.uuid() } = options;
  const viewId = ids.uuid();
  await client.openView({ viewId, sessionId, runLayer });
  return {
    client,
    viewId,
    sessionId,
    upload: (path: string, data: Uint8Array, begin: Partial<Begin> = {}, how: Parameters<typeof uploadOf>[2] = {}) =>
      client.upload(uploadOf({ viewId, path, uploadId: ids.uuid(), ...begin } as Begin, data, how)),
    download: (path: string, request: Partial<MessageInitShape<typeof DownloadRequestSchema>> = {}) =>
      downloaded(client, { viewId, path, ...request } as MessageInitShape<typeof DownloadRequestSchema>),
    received: async (uploadId: string) => Number((await client.getUpload({ viewId, uploadId })).receivedBytes),
    copy: (fromPath: string, toPath: string, idempotencyKey = '') =>
      client.copy({ viewId, fromPath, toPath, idempotencyKey }),
  };
}

export type StreamView = Awaited<ReturnType<typeof streamView>>;

/** All that a download tells. */
async function downloaded(client: FilesClient, request: MessageInitShape<typeof DownloadRequestSchema>) {
  const chunks: Uint8Array[] = [];
  const files: unknown[] = [];
  const checksums: string[] = [];
  for await (const { chunk, file, sha256: digest } of client.download(request)) {
    chunks.push(chunk);
    files.push(file && { path: file.path, size: Number(file.size), etag: file.etag });
    checksums.push(digest);
  }
  return { data: Buffer.concat(chunks), files, checksums, largest: Math.max(...chunks.map(({ length }) => length)) };
}
