import type { Database } from '@spanwise/persistence';
import type { Blobs } from '../../application/ports/blobs.ts';
import type { ByteRange, FileNode } from '../../domain/disk/file-store.ts';
import { chunkBytes } from '../disks/tree/blobs.ts';

/** Blobs in the table `fs_blob_chunks`. */
export class SqlBlobs implements Blobs {
  readonly #database: Database;

  constructor({ database }: { readonly database: Database }) {
    this.#database = database;
  }

  async read(
    { etag, size }: Pick<FileNode, 'etag' | 'size'>,
    { offset, length }: ByteRange,
  ): Promise<Uint8Array | undefined> {
    const end = Math.min(offset + length, size);
    if (end <= offset) {
      return new Uint8Array();
    }
    const [first, last] = [Math.floor(offset / chunkBytes), Math.floor((end - 1) / chunkBytes)];
    const chunks = await this.#database.all<{ data: Uint8Array }>(
      'select data from fs_blob_chunks where hash = ? and position >= ? and position <= ? order by position',
      [etag, first, last],
    );
    if (chunks.length !== last - first + 1) {
      return undefined;
    }
    const data = new Uint8Array(end - offset);
    for (const [index, chunk] of chunks.entries()) {
      const start = (first + index) * chunkBytes - offset;
      data.set(chunk.data.subarray(Math.max(-start, 0), end - offset - start), Math.max(start, 0));
    }
    return data;
  }
}
