import type { Database } from '@spanwise/persistence';
import type { ByteRange, FileSlice } from '../../../domain/disk/file-store.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';
import { chunkBytes } from './blobs.ts';
import { fileNodeOf, rowColumns, type TreeRow } from './tree-row.ts';

interface SliceRow extends TreeRow {
  readonly position: number | null;
  readonly data: Uint8Array | null;
}

const columns = rowColumns
  .split(', ')
  .map((column) => `n.${column}`)
  .join(', ');

/**
 * Bytes of a file and its row. One statement, so that both are of the same moment: the blob of a file that is overwritten
 * meanwhile may be gone before a second one.
 */
export async function readSlice(
  database: Database,
  disk: string,
  path: string,
  { offset, length }: ByteRange,
): Promise<FileSlice | 'directory' | undefined> {
  const first = Math.floor(offset / chunkBytes);
  const last = Math.floor((offset + length - 1) / chunkBytes);
  const rows = await database.all<SliceRow>(
    `select ${columns}, c.position, c.data from fs_nodes n
      left join fs_blob_chunks c on c.hash = n.blob_hash and c.position >= ? and c.position <= ?
      where n.disk = ? and n.path_hash = ?`,
    [first, last, disk, hashOfPath(path)],
  );
  const [row] = rows;
  if (row === undefined || row.kind === 'd') {
    return row && 'directory';
  }
  const data = new Uint8Array(Math.max(0, Math.min(length, row.size - offset)));
  for (const chunk of rows) {
    if (chunk.data !== null && chunk.position !== null) {
      copyOverlap(chunk.data, chunk.position * chunkBytes, data, offset);
    }
  }
  return { data, node: fileNodeOf(row) };
}

/** Copies the part of a chunk, which starts at `chunkStart` of the file, that lies in `data`, which starts at `dataStart`. */
function copyOverlap(chunk: Uint8Array, chunkStart: number, data: Uint8Array, dataStart: number): void {
  const start = Math.max(chunkStart, dataStart);
  const end = Math.min(chunkStart + chunk.length, dataStart + data.length);
  if (start < end) {
    data.set(chunk.subarray(start - chunkStart, end - chunkStart), start - dataStart);
  }
}
