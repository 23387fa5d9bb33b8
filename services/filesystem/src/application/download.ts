import type { Caller } from '../domain/disk/caller.ts';
import { diskUnsupported } from '../domain/disk/disk-errors.ts';
import { etagMismatch, notAFile } from '../domain/disk/file-errors.ts';
import type { ByteRange, FileNode, FileSlice } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import { readSlices } from './file-content.ts';
import type { MountedFiles } from './mounted-files.ts';
import type { PathNode, PathRequest } from './path-request.ts';
import type { Blobs } from './ports/blobs.ts';
import type { StartChecksum } from './ports/checksum.ts';
import type { SessionStreams } from './session-streams.ts';

export interface DownloadRequest extends PathRequest {
  /** First byte, from 0. */
  readonly offset: number;
  /** Bytes at most; 0 = to the end. */
  readonly length: number;
  readonly ifMatch: string | undefined;
}

/** A part of a download. */
export interface DownloadPart {
  /** At most {@link partBytes}; empty only where there are no bytes at all. */
  readonly data: Uint8Array;
  /** The whole file; in the first part only. */
  readonly file: PathNode<FileNode> | undefined;
  /** SHA-256 of the bytes of all parts, in hex; in the last part only. */
  readonly sha256: string | undefined;
}

/** Bytes of a part at most: on its way out each is there several times. */
const partBytes: number = 256 * 1024;
/** Bytes that are read at once from a disk without blobs: some look at the whole file each time. */
const sliceBytes = 8 * partBytes;

export interface DownloadDeps {
  readonly views: CallerViews;
  readonly blobs: Blobs;
  readonly streams: SessionStreams;
  readonly startChecksum: StartChecksum;
}

/** Reads a file as a stream. Nothing is read before the part that came before it was taken. */
export class Download {
  readonly #deps: DownloadDeps;

  constructor(deps: DownloadDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, TOO_MANY_STREAMS, PATH_INVALID, FILE_NOT_FOUND, NOT_GRANTED, NOT_A_FILE, DISK_UNSUPPORTED or
   * ETAG_MISMATCH: the file is another one than was asked for, or has changed meanwhile on a disk that keeps no versions.
   */
  async *execute(caller: Caller, request: DownloadRequest, signal: AbortSignal): AsyncGenerator<DownloadPart> {
    const { views, streams, startChecksum } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    using _open = streams.open(tree.view.sessionId);
    const path = VirtualPath.parse(request.path);
    const files = tree.filesAt(path);
    if (files === undefined || tree.view.isFixed(path)) {
      throw notAFile(path);
    }
    const checksum = startChecksum();
    let left: number | undefined;
    for await (const { data, node } of this.#slices(files, path, request, signal)) {
      const isFirst = left === undefined;
      if (isFirst) {
        assertMatches(path, node, request, files);
      }
      left ??= bytesOf(node, request);
      for (let start = 0; start < data.length || (isFirst && start === 0); start += partBytes) {
        const part = data.subarray(start, start + partBytes);
        checksum.add(part);
        left -= part.length;
        const file = isFirst && start === 0 ? { path, node } : undefined;
        yield { data: part, file, sha256: left === 0 ? checksum.hex() : undefined };
      }
    }
  }

  async *#slices(
    files: MountedFiles,
    path: VirtualPath,
    request: DownloadRequest,
    signal: AbortSignal,
  ): AsyncGenerator<FileSlice> {
    const blob = await files.blobAt(path, signal);
    if (blob === undefined) {
      const length = request.length === 0 ? Number.MAX_SAFE_INTEGER : request.length;
      yield* readSlices(files, path, { offset: request.offset, length }, sliceBytes, signal);
      return;
    }
    const end = request.offset + bytesOf(blob, request);
    for (let offset = request.offset; offset < end || offset === request.offset; offset += partBytes) {
      signal.throwIfAborted();
      const range = { offset, length: Math.min(partBytes, end - offset) };
      yield { node: blob, data: await this.#read(path, blob, range, signal) };
    }
  }

  async #read(path: VirtualPath, blob: FileNode, range: ByteRange, signal: AbortSignal): Promise<Uint8Array> {
    const data = await this.#deps.blobs.read(blob, range, signal);
    if (data === undefined) {
      // The run has written over a file of its own layer, which keeps no versions.
      throw etagMismatch(path, '');
    }
    return data;
  }
}

/** Bytes of a file that are asked for. */
function bytesOf({ size }: FileNode, { offset, length }: DownloadRequest): number {
  const left = Math.max(size - offset, 0);
  return length === 0 ? left : Math.min(length, left);
}

function assertMatches(
  path: VirtualPath,
  { etag }: FileNode,
  { ifMatch }: DownloadRequest,
  { mount }: MountedFiles,
): void {
  if (ifMatch === undefined || ifMatch === etag) {
    return;
  }
  throw etag === '' ? diskUnsupported(mount.sources[0].disk, 'if_match') : etagMismatch(path, etag);
}
