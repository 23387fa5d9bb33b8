import type { SqlExecutor, SqlRow, SqlValue } from '@spanwise/persistence';
import type { ByteRange, FileSlice } from '../../../domain/disk/file-store.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';
import { chunkBytes } from './blobs.ts';
import { fileNodeOf, rowColumns, type TreeRow, versionColumns } from './tree-row.ts';

/** A chunk of a blob as a left join has it. */
export interface ChunkRow extends SqlRow {
  readonly position: number | null;
  readonly data: Uint8Array | null;
}

type SliceRow = TreeRow & ChunkRow;

const nodes = `select ${rowColumns} from fs_nodes where disk = ? and path_hash = ?`;
const pinned = `${nodes} and head <= ?
  union all select ${versionColumns} from fs_versions where disk = ? and path_hash = ? and head <= ? and to_head > ?`;

/**
 * Bytes of a file and its row, as they are or as they were at a head. One statement, so that both are of the same moment:
 * the blob of a file that is overwritten meanwhile may be gone before a second one.
 */
export async function readSlice(
  sql: SqlExecutor,
  disk: string,
  path: string,
  range: ByteRange,
  pin: number | undefined,
): Promise<FileSlice | 'directory' | undefined> {
  const key = hashOfPath(path);
  const [source, keys]: [string, SqlValue[]] =
    pin === undefined ? [nodes, [disk, key]] : [pinned, [disk, key, pin, disk, key, pin, pin]];
  const rows = await sql.all<SliceRow>(
    `select n.*, c.position, c.data from (${source}) n
      left join fs_blob_chunks c on c.hash = n.blob_hash and c.position >= ? and c.position <= ?`,
    [...keys, ...chunksOf(range)],
  );
  const [row] = rows;
  if (row === undefined || row.kind !== 'f') {
    return row?.kind === 'd' ? 'directory' : undefined;
  }
  return { data: assemble(rows, range, row.size), node: fileNodeOf(row) };
}

/** The chunks that a range touches. */
export function chunksOf({ offset, length }: ByteRange): [first: number, last: number] {
  return [Math.floor(offset / chunkBytes), Math.floor((offset + length - 1) / chunkBytes)];
}

/** The bytes of a range out of the chunks that it touches; none for what is no file. */
export function assemble(chunks: readonly ChunkRow[], { offset, length }: ByteRange, size: number): Uint8Array {
  const data = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
  for (const chunk of chunks) {
    if (chunk.data !== null && chunk.position !== null) {
      copyOverlap(chunk.data, chunk.position * chunkBytes, data, offset);
    }
  }
  return data;
}

/** Copies the part of a chunk, which starts at `chunkStart` of the file, that lies in `data`, which starts at `dataStart`. */
function copyOverlap(chunk: Uint8Array, chunkStart: number, data: Uint8Array, dataStart: number): void {
  const start = Math.max(chunkStart, dataStart);
  const end = Math.min(chunkStart + chunk.length, dataStart + data.length);
  if (start < end) {
    data.set(chunk.subarray(start - chunkStart, end - chunkStart), start - dataStart);
  }
}
