import { firstRow, type SqlExecutor, type SqlValue } from '@spanwise/persistence';
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

export async function deleteUploadChunks(tx: SqlExecutor, upload: UploadKey): Promise<void> {
  await tx.run('delete from fs_upload_chunks where view_id = ? and upload_id = ?', keyOf(upload));
}

export function keyOf({ viewId, uploadId }: UploadKey): [SqlValue, SqlValue] {
  return [viewId, uploadId];
}
