import { etagMismatch, fileTooLarge, notAFile } from '../domain/disk/file-errors.ts';
import {
  type ByteRange,
  type FileNode,
  type FileSlice,
  maxFileBytes,
  maxStreamedBytes,
} from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';

/** Files with paths of a view. */
interface Readable {
  read(path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice>;
}

/** Throws ETAG_MISMATCH when a file is not any more what it was when its first slice was read. */
function assertSame(path: VirtualPath, first: FileNode, now: FileNode): void {
  // Where a disk has no etags, size and time are what there is to compare.
  const isSame = now.etag === first.etag && now.size === first.size;
  if (!isSame || (now.etag === '' && now.modifyTimeMs !== first.modifyTimeMs)) {
    throw etagMismatch(path, now.etag);
  }
}

/** Slices of a part of a file, all of one version. The last one may be empty. Throws ETAG_MISMATCH when it changes. */
export async function* readSlices(
  files: Readable,
  path: VirtualPath,
  { offset, length }: ByteRange,
  sliceBytes: number,
  signal: AbortSignal,
): AsyncGenerator<FileSlice> {
  let first: FileNode | undefined;
  for (let at = offset, left = length; ; ) {
    const asked = Math.min(left, sliceBytes);
    const slice = await files.read(path, { offset: at, length: asked }, signal);
    first ??= slice.node;
    assertSame(path, first, slice.node);
    left = Math.min(left, first.size - at);
    if (slice.data.length !== Math.max(Math.min(asked, left), 0)) {
      throw etagMismatch(path, slice.node.etag);
    }
    yield slice;
    at += slice.data.length;
    left -= slice.data.length;
    if (left <= 0) {
      return;
    }
  }
}

/** A whole file. Throws FILE_TOO_LARGE over 32 MiB, and ETAG_MISMATCH when it changes meanwhile. */
export async function readWhole(files: Readable, path: VirtualPath, signal: AbortSignal): Promise<FileSlice> {
  let data: Uint8Array | undefined;
  let node: FileNode | undefined;
  let done = 0;
  const range = { offset: 0, length: Number.MAX_SAFE_INTEGER };
  for await (const slice of readSlices(files, path, range, maxFileBytes, signal)) {
    node ??= slice.node;
    if (node.size > maxStreamedBytes) {
      throw fileTooLarge(path, maxStreamedBytes);
    }
    data ??= new Uint8Array(node.size);
    data.set(slice.data, done);
    done += slice.data.length;
  }
  if (data === undefined || node === undefined) {
    throw notAFile(path);
  }
  return { data, node };
}

/** The file, if it has exactly this content. */
export async function nodeWith(
  files: Readable & { stat(path: VirtualPath, signal: AbortSignal): Promise<{ readonly kind: string } | undefined> },
  path: VirtualPath,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<FileNode | undefined> {
  const there = await files.stat(path, signal);
  if (there?.kind !== 'file') {
    return undefined;
  }
  let done = 0;
  let node: FileNode | undefined;
  const range = { offset: 0, length: data.length + 1 };
  for await (const slice of readSlices(files, path, range, maxFileBytes, signal)) {
    node ??= slice.node;
    const isSame =
      node.size === data.length && Buffer.compare(slice.data, data.subarray(done, done + slice.data.length)) === 0;
    if (!isSame) {
      return undefined;
    }
    done += slice.data.length;
  }
  return node;
}
