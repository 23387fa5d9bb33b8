import type { SqlExecutor, SqlRow, SqlValue } from '@spanwise/persistence';
import type { ByteRange, FileSlice } from '../../../domain/disk/file-store.ts';
import { blobMissing } from '../../blobs/blob-errors.ts';
import type { BlobPlace } from '../../blobs/blob-place.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';
import { chunkBytes } from './blobs.ts';
import { atPin, fileNodeOf, rowColumns, type TreeRow, until, versionColumns } from './tree-row.ts';

/** A chunk of a blob as a left join has it, with where the blob lies outside of the database. */
export interface ChunkRow extends SqlRow {
  readonly location: string | null;
  readonly position: number | null;
  readonly data: Uint8Array | null;
}

type SliceRow = TreeRow & ChunkRow;

const nodes = `select ${rowColumns} from fs_nodes where disk = ? and path_hash = ?`;
const pinned = `${nodes} and ${until}
  union all select ${versionColumns} from fs_versions where disk = ? and path_hash = ? and ${atPin}`;

/** What joins rows with `blob_hash`, called `n`, with chunks from a position to another. */
export const withContent = `left join fs_blobs b on b.hash = n.blob_hash
  left join fs_blob_chunks c on c.hash = n.blob_hash and c.position >= ? and c.position <= ?`;

/** Columns of {@link ChunkRow}. */
export const contentColumns = 'b.location, c.position, c.data';

export interface ContentSource {
  readonly sql: SqlExecutor;
  /** Where content lies. */
  readonly blobs: BlobPlace;
}

/**
 * Bytes of a file and its row, as they are or as they were at a head. One statement, so that both are of the same moment:
 * the blob of a file that is overwritten meanwhile may be gone before a second one.
 */
export async function readSlice(
  { sql, blobs }: ContentSource,
  { disk, path, pin }: { readonly disk: string; readonly path: string; readonly pin: number | undefined },
  range: ByteRange,
  signal: AbortSignal,
): Promise<FileSlice | 'directory' | undefined> {
  const key = hashOfPath(path);
  const [source, keys]: [string, SqlValue[]] =
    pin === undefined ? [nodes, [disk, key]] : [pinned, [disk, key, pin, disk, key, pin, pin]];
  return lookTwice<FileSlice | 'directory' | undefined>(async () => {
    const rows = await sql.all<SliceRow>(`select n.*, ${contentColumns} from (${source}) n ${withContent}`, [
      ...keys,
      ...chunksOf(range),
    ]);
    const [row] = rows;
    if (row === undefined || row.kind !== 'f') {
      return { found: row?.kind === 'd' ? 'directory' : undefined };
    }
    const data = await contentOf(rows, range, row.size, (location, within) => blobs.read(location, within, signal));
    return data === undefined ? { missing: row.blob_hash } : { found: { data, node: fileNodeOf(row) } };
  });
}

/** What a look has found, or the hash of content that is not where its row says. */
export type Look<Found> = { readonly found: Found } | { readonly missing: string };

/**
 * Looks once more when content is not where its row says: what was released meanwhile is removed after a while, and then the
 * row says something else. Throws DISK_UNAVAILABLE when it does not.
 */
export async function lookTwice<Found>(look: () => Promise<Look<Found>>): Promise<Found> {
  const first = await look();
  const last = 'found' in first ? first : await look();
  if ('missing' in last) {
    throw blobMissing(last.missing);
  }
  return last.found;
}

type ReadOutside = (location: string, range: ByteRange) => Promise<Uint8Array | undefined>;

/** The bytes of a range of a file, from where its rows say; undefined when they are not there any more. */
export async function contentOf(
  rows: readonly ChunkRow[],
  range: ByteRange,
  size: number,
  readOutside: ReadOutside,
): Promise<Uint8Array | undefined> {
  const location = rows[0]?.location ?? null;
  const length = Math.min(range.length, size - range.offset);
  return location === null || length <= 0
    ? assemble(rows, range, size)
    : readOutside(location, { offset: range.offset, length });
}

/** The chunks that a range touches. */
export function chunksOf({ offset, length }: ByteRange): [first: number, last: number] {
  return [Math.floor(offset / chunkBytes), Math.floor((offset + length - 1) / chunkBytes)];
}

/** The bytes of a range out of the chunks that it touches; none for what is no file. */
function assemble(chunks: readonly ChunkRow[], { offset, length }: ByteRange, size: number): Uint8Array {
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
