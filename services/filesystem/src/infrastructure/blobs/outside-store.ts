import type { ByteRange } from '../../domain/disk/file-store.ts';

/** Content on its way out. */
export interface OutgoingContent {
  /** Bytes of all pieces. */
  readonly size: number;
  /** In order; read once. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * Where the content of blobs lies outside of the database. A key is the hash of the content and 32 random hex digits: it is
 * written once, and never for another content. Methods throw DISK_UNAVAILABLE, without addresses.
 */
export interface OutsideStore extends Partial<AsyncDisposable> {
  /** Stores content so that it outlives a loss of power. When it throws, nothing or some of it may be there. */
  put(key: string, content: OutgoingContent, signal: AbortSignal): Promise<void>;

  /** Exactly the bytes of a range that lies within the content; undefined when nothing has the key. */
  read(key: string, range: ByteRange, signal: AbortSignal): Promise<Uint8Array | undefined>;

  /** Removes what has the key, also what a put that failed has left; fine when nothing has. */
  remove(key: string, signal: AbortSignal): Promise<void>;
}

/** What a key looks like. */
const blobKey = /^[0-9a-f]{96}$/;

export function isBlobKey(text: string): boolean {
  return blobKey.test(text);
}

/** The key of content; `id` is random, 32 hex digits. */
export function blobKeyOf(hash: string, id: string): string {
  return hash + id;
}
