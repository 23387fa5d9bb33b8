import type { Database } from '@spanwise/persistence';
import type { Blobs } from '../../application/ports/blobs.ts';
import type { ByteRange, FileNode } from '../../domain/disk/file-store.ts';
import type { BlobPlace } from '../blobs/blob-place.ts';
import { type ChunkRow, chunksOf, contentColumns, contentOf, lookTwice } from '../disks/tree/read-slice.ts';

export interface SqlBlobsDeps {
  readonly database: Database;
  readonly blobs: BlobPlace;
}

/** Blobs in the tables `fs_blobs` and `fs_blob_chunks`, or where the first of them says. */
export class SqlBlobs implements Blobs {
  readonly #database: Database;
  readonly #blobs: BlobPlace;

  constructor({ database, blobs }: SqlBlobsDeps) {
    this.#database = database;
    this.#blobs = blobs;
  }

  async read(
    { etag, size }: Pick<FileNode, 'etag' | 'size'>,
    { offset, length }: ByteRange,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const range = { offset, length: Math.min(length, size - offset) };
    if (range.length <= 0) {
      return new Uint8Array();
    }
    return lookTwice<Uint8Array | undefined>(async () => {
      const rows = await this.#database.all<ChunkRow>(
        `select ${contentColumns} from fs_blobs b
          left join fs_blob_chunks c on c.hash = b.hash and c.position >= ? and c.position <= ? where b.hash = ?`,
        [...chunksOf(range), etag],
      );
      if (rows.length === 0) {
        return { found: undefined };
      }
      const found = await contentOf(rows, range, size, (location, within) =>
        this.#blobs.read(location, within, signal),
      );
      return found === undefined ? { missing: etag } : { found };
    });
  }
}
