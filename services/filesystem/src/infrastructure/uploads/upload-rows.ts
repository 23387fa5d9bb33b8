import { firstRow, type SqlExecutor, type SqlValue } from '@spanwise/persistence';
import { pieceBytes } from '../../application/ports/uploads.ts';
import type { ReceivedUpload, UploadKey } from '../../domain/upload/received-upload.ts';
import { uploadIncomplete } from '../../domain/upload/upload-errors.ts';

/** Bytes of an upload that are stored; undefined when nothing is kept of it. */
export async function receivedBytes(sql: SqlExecutor, key: UploadKey): Promise<number | undefined> {
  const which = 'select received from fs_uploads where view_id = ? and upload_id = ?';
  return (await firstRow<{ received: number }>(sql, which, keyOf(key)))?.received;
}

/**
 * Takes the row of an upload away, so that no stream goes on with it; its chunks are still there. Throws UPLOAD_INCOMPLETE
 * when another stream has gone on with it already.
 */
export async function claimUpload(tx: SqlExecutor, upload: ReceivedUpload): Promise<void> {
  const claimed = await tx.run(
    'delete from fs_uploads where view_id = ? and upload_id = ? and stream = ? and received = ?',
    [...keyOf(upload), upload.stream, upload.size],
  );
  if (claimed !== 1) {
    throw uploadIncomplete((await receivedBytes(tx, upload)) ?? 0);
  }
}

/** Makes the chunks of an upload those of a blob: they have the same size. */
export async function copyToBlob(tx: SqlExecutor, upload: UploadKey, hash: string): Promise<void> {
  await tx.run(
    `insert into fs_blob_chunks (hash, position, data)
      select ?, position, data from fs_upload_chunks where view_id = ? and upload_id = ?`,
    [hash, ...keyOf(upload)],
  );
}

/** All pieces of an upload in order. Throws UPLOAD_INCOMPLETE when one is not there any more. */
export async function* uploadPieces(sql: SqlExecutor, upload: ReceivedUpload): AsyncGenerator<Uint8Array> {
  for (let position = 0; position * pieceBytes < upload.size; position += 1) {
    const data = await readPiece(sql, upload, position);
    if (data === undefined) {
      throw uploadIncomplete((await receivedBytes(sql, upload)) ?? 0);
    }
    yield data.subarray(0, upload.size - position * pieceBytes);
  }
}

/** A piece of an upload; undefined when it is not there. */
export async function readPiece(sql: SqlExecutor, key: UploadKey, position: number): Promise<Uint8Array | undefined> {
  const which = 'select data from fs_upload_chunks where view_id = ? and upload_id = ? and position = ?';
  return (await firstRow<{ data: Uint8Array }>(sql, which, [...keyOf(key), position]))?.data;
}

export async function deleteUploadChunks(tx: SqlExecutor, upload: UploadKey): Promise<void> {
  await tx.run('delete from fs_upload_chunks where view_id = ? and upload_id = ?', keyOf(upload));
}

export function keyOf({ viewId, uploadId }: UploadKey): [SqlValue, SqlValue] {
  return [viewId, uploadId];
}
