import type { RunId, Uid } from '@spanwise/kernel';
import type { ReceivedUpload, UploadKey } from '../../domain/upload/received-upload.ts';

/** Bytes of every piece but the last one. */
export const pieceBytes: number = 256 * 1024;

/** A part of an upload. */
export interface UploadPiece {
  /** From 0; a piece begins at `position * pieceBytes`. */
  readonly position: number;
  readonly data: Uint8Array;
  /** True for one that is stored in part already. */
  readonly isLonger: boolean;
}

/** What one stream goes on with. */
export interface BegunUpload extends ReceivedUpload {
  /** The last piece, if it is stored in part. */
  readonly tail: Uint8Array;
}

/** What is kept of uploads until they are written. Methods throw DATABASE_UNAVAILABLE. */
export interface Uploads {
  /**
   * Begins an upload, or goes on with it at `offset`, in a new stream: earlier ones of the same upload add nothing more.
   * Throws UPLOAD_INCOMPLETE when the upload is not at `offset`, QUOTA_EXCEEDED when too many of the view are kept.
   */
  begin(key: UploadKey, uid: Uid, offset: number): Promise<BegunUpload>;

  /** Stores the piece that the upload ends with then. Throws UPLOAD_INCOMPLETE when another stream has gone on with it. */
  put(upload: ReceivedUpload, piece: UploadPiece): Promise<void>;

  /** All pieces in order. */
  pieces(upload: ReceivedUpload): AsyncIterable<Uint8Array>;

  /** Bytes that are stored; undefined when nothing is kept of the upload. */
  received(key: UploadKey): Promise<number | undefined>;

  /** Forgets an upload; fine when another stream has gone on with it, or nothing is kept of it. */
  drop(upload: ReceivedUpload): Promise<void>;

  /** Forgets all uploads of views. */
  forget(viewIds: readonly RunId[]): Promise<void>;

  /** Forgets uploads of which nothing was received for `olderThanMs`. Answers how many. */
  removeStale(olderThanMs: number): Promise<number>;
}
