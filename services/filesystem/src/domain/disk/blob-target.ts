import type { VirtualPath } from '../path/virtual-path.ts';
import type { ReceivedUpload } from '../upload/received-upload.ts';
import type { Caller } from './caller.ts';
import type { FileStore, WriteGuard, WriteOutcome } from './file-store.ts';

/** Content that the service has already. */
export interface StoredContent {
  /** SHA-256 in hex. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** The upload that it is in, and is taken out of. Undefined for that of a file, in a layer or on a tree disk. */
  readonly upload?: ReceivedUpload | undefined;
}

/** A store whose files are blobs of the service: what the service has already is written without its bytes. */
export interface BlobTarget extends FileStore {
  readonly takesBlobs: true;

  /**
   * Writes a whole file as {@link FileStore.write} does. Throws also UPLOAD_INCOMPLETE when another stream has gone on with
   * the upload, and DISK_UNAVAILABLE when no file has the content any more.
   */
  writeStored(
    caller: Caller,
    path: VirtualPath,
    content: StoredContent,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome>;
}

export function isBlobTarget(store: FileStore): store is BlobTarget {
  return 'takesBlobs' in store;
}
