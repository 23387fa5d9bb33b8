import { brandId, type RunId } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import { pieceBytes, type UploadPiece, type Uploads } from './ports/uploads.ts';
import { ReceivedParts } from './received-parts.ts';

const key = { viewId: brandId<RunId>('view'), uploadId: 'upload', stream: 'stream' };

/** Keeps pieces as a database does, and what was asked for. */
function storedPieces() {
  const pieces: Uint8Array[] = [];
  const puts: unknown[] = [];
  const uploads: Uploads = {
    put: async ({ size }, { position, data, isLonger }: UploadPiece) => {
      puts.push({ size, position, bytes: data.length, isLonger });
      pieces[position] = data.slice();
    },
    begin: () => Promise.reject(new TypeError('not asked for')),
    pieces: () => {
      throw new TypeError('not asked for');
    },
    received: async () => undefined,
    drop: async () => undefined,
    forget: async () => undefined,
    removeStale: async () => 0,
  };
  return { uploads, puts, content: () => Buffer.concat(pieces) };
}

const path = VirtualPath.parse('/x');
const bytes = (length: number, from = 0) => Uint8Array.from({ length }, (_, index) => (from + index) % 251);

test('stores pieces of one size, whatever comes, and the last one when asked to', async () => {
  const { uploads, puts, content } = storedPieces();
  const parts = new ReceivedParts(uploads, path, { ...key, size: 0, tail: new Uint8Array() });
  const all = bytes(pieceBytes * 2 + 10);
  for (const [start, end] of [
    [0, 5],
    [5, 5],
    [5, pieceBytes * 2 + 1],
    [pieceBytes * 2 + 1, all.length],
  ] as const) {
    await parts.add(all.subarray(start, end));
  }
  await parts.flush();
  await parts.flush();
  expect(puts).toEqual([
    { size: pieceBytes, position: 0, bytes: pieceBytes, isLonger: false },
    { size: pieceBytes * 2, position: 1, bytes: pieceBytes, isLonger: false },
    { size: all.length, position: 2, bytes: 10, isLonger: false },
  ]);
  expect(Buffer.compare(content(), all)).toBe(0);
});

test('goes on within a piece that is stored in part', async () => {
  const { uploads, puts } = storedPieces();
  const parts = new ReceivedParts(uploads, path, { ...key, size: pieceBytes + 3, tail: bytes(3) });
  await parts.flush();
  await parts.add(bytes(pieceBytes, 3));
  await parts.flush();
  expect(puts).toEqual([
    { size: pieceBytes * 2, position: 1, bytes: pieceBytes, isLonger: true },
    { size: pieceBytes * 2 + 3, position: 2, bytes: 3, isLonger: false },
  ]);
  expect(parts.upload).toEqual({ ...key, size: pieceBytes * 2 + 3 });
});

test('takes 32 MiB and not a byte more', async () => {
  const { uploads } = storedPieces();
  const size = 32 * 1024 * 1024 - pieceBytes;
  const parts = new ReceivedParts(uploads, path, { ...key, size, tail: new Uint8Array() });
  await expect(parts.add(bytes(pieceBytes + 1))).rejects.toMatchObject({ reason: 'FILE_TOO_LARGE' });
  await parts.add(bytes(pieceBytes));
  await expect(parts.add(bytes(1))).rejects.toMatchObject({ reason: 'FILE_TOO_LARGE' });
  expect(parts.upload.size).toBe(32 * 1024 * 1024);
});
