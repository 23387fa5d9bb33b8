import type { ByteRange, FileNode } from '../../domain/disk/file-store.ts';

/** The blobs of files on tree disks and in layers. Methods throw DATABASE_UNAVAILABLE or DISK_UNAVAILABLE. */
export interface Blobs {
  /** Bytes of a blob within its size; undefined when nothing has it any more. */
  read(file: Pick<FileNode, 'etag' | 'size'>, range: ByteRange, signal: AbortSignal): Promise<Uint8Array | undefined>;
}
