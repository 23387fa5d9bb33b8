import type { Clock, IdGenerator, RunId, Uid } from '@spanwise/kernel';
import { type Database, firstRow, insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import { type BegunUpload, pieceBytes, type UploadPiece, type Uploads } from '../../application/ports/uploads.ts';
import { quotaExceeded } from '../../domain/layer/layer-errors.ts';
import type { ReceivedUpload, UploadKey } from '../../domain/upload/received-upload.ts';
import { uploadIncomplete } from '../../domain/upload/upload-errors.ts';
import { claimUpload, deleteUploadChunks, keyOf, readPiece, receivedBytes, uploadPieces } from './upload-rows.ts';

export interface SqlUploadsDeps {
  readonly database: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'traceId'>;
}

/** Uploads of a view that are kept at most. */
export const maxUploadsPerView = 32;
/** Uploads that are looked for at a time. */
const staleBatch = 64;

const uploadColumns = [
  'view_id',
  'upload_id',
  'uid',
  'stream',
  'received',
  'create_time_ms',
  'change_time_ms',
] as const;
const chunkColumns = ['view_id', 'upload_id', 'position', 'data'] as const;

/** Uploads in the tables `fs_uploads` and `fs_upload_chunks`. */
export class SqlUploads implements Uploads {
  readonly #deps: SqlUploadsDeps;

  constructor(deps: SqlUploadsDeps) {
    this.#deps = deps;
  }

  async begin(key: UploadKey, uid: Uid, offset: number): Promise<BegunUpload> {
    const { database, ids } = this.#deps;
    const stream = ids.traceId();
    for (;;) {
      const begun = await database.transaction(async (tx) => {
        const received = await receivedBytes(tx, key);
        if ((received ?? 0) !== offset) {
          throw uploadIncomplete(received ?? 0);
        }
        return received === undefined ? this.#insert(tx, key, uid, stream) : this.#goOn(tx, key, offset, stream);
      });
      if (begun !== undefined) {
        return begun;
      }
    }
  }

  async put({ stream, size, ...key }: ReceivedUpload, { position, data, isLonger }: UploadPiece): Promise<void> {
    const { database, clock } = this.#deps;
    await database.transaction(async (tx) => {
      const held = await tx.run(
        'update fs_uploads set received = ?, change_time_ms = ? where view_id = ? and upload_id = ? and stream = ?',
        [size, clock.nowMs(), ...keyOf(key), stream],
      );
      if (held !== 1) {
        throw uploadIncomplete((await receivedBytes(tx, key)) ?? 0);
      }
      if (isLonger) {
        const which = 'delete from fs_upload_chunks where view_id = ? and upload_id = ? and position = ?';
        await tx.run(which, [...keyOf(key), position]);
      }
      await insertRows(tx, 'fs_upload_chunks', chunkColumns, [[...keyOf(key), position, data]]);
    });
  }

  pieces(upload: ReceivedUpload): AsyncIterable<Uint8Array> {
    return uploadPieces(this.#deps.database, upload);
  }

  received(key: UploadKey): Promise<number | undefined> {
    return receivedBytes(this.#deps.database, key);
  }

  async drop(upload: ReceivedUpload): Promise<void> {
    try {
      await this.#deps.database.transaction(async (tx) => {
        await claimUpload(tx, upload);
        await deleteUploadChunks(tx, upload);
      });
    } catch (error) {
      if ((error as { readonly reason?: string }).reason !== 'UPLOAD_INCOMPLETE') {
        throw error;
      }
    }
  }

  async forget(viewIds: readonly RunId[]): Promise<void> {
    for (const viewId of viewIds) {
      await this.#deps.database.transaction(async (tx) => {
        await tx.run('delete from fs_uploads where view_id = ?', [viewId]);
        await tx.run('delete from fs_upload_chunks where view_id = ?', [viewId]);
      });
    }
  }

  async removeStale(olderThanMs: number): Promise<number> {
    const { database, clock } = this.#deps;
    const beforeMs = clock.nowMs() - olderThanMs;
    const find = `select view_id, upload_id from fs_uploads where change_time_ms < ? limit ${staleBatch}`;
    let removed = 0;
    for (;;) {
      const stale = await database.all<{ view_id: string; upload_id: string }>(find, [beforeMs]);
      for (const { view_id: viewId, upload_id: uploadId } of stale) {
        removed += await this.#removeIfStale({ viewId: viewId as RunId, uploadId }, beforeMs);
      }
      if (stale.length < staleBatch) {
        return removed;
      }
    }
  }

  #removeIfStale(key: UploadKey, beforeMs: number): Promise<number> {
    return this.#deps.database.transaction(async (tx) => {
      // A stream may have gone on with it meanwhile.
      const which = 'delete from fs_uploads where view_id = ? and upload_id = ? and change_time_ms < ?';
      const removed = await tx.run(which, [...keyOf(key), beforeMs]);
      if (removed === 1) {
        await deleteUploadChunks(tx, key);
      }
      return removed;
    });
  }

  async #insert(tx: SqlExecutor, key: UploadKey, uid: Uid, stream: string): Promise<BegunUpload | undefined> {
    const sql = 'select count(*) as count from fs_uploads where view_id = ?';
    const kept = await firstRow<{ count: number }>(tx, sql, [key.viewId]);
    if ((kept?.count ?? 0) >= maxUploadsPerView) {
      throw quotaExceeded('uploads', maxUploadsPerView);
    }
    const nowMs = this.#deps.clock.nowMs();
    try {
      await insertRows(tx, 'fs_uploads', uploadColumns, [[...keyOf(key), uid, stream, 0, nowMs, nowMs]]);
    } catch (error) {
      if (isUniqueViolation(error)) {
        return undefined;
      }
      throw error;
    }
    return { ...key, stream, size: 0, tail: new Uint8Array() };
  }

  /** Undefined when another stream has gone on with it in between. */
  async #goOn(tx: SqlExecutor, key: UploadKey, size: number, stream: string): Promise<BegunUpload | undefined> {
    const held = await tx.run(
      `update fs_uploads set stream = ?, change_time_ms = ? where view_id = ? and upload_id = ? and received = ?`,
      [stream, this.#deps.clock.nowMs(), ...keyOf(key), size],
    );
    if (held !== 1) {
      return undefined;
    }
    const isWhole = size % pieceBytes === 0;
    const tail = isWhole ? undefined : await readPiece(tx, key, Math.floor(size / pieceBytes));
    return { ...key, stream, size, tail: tail ?? new Uint8Array() };
  }
}
