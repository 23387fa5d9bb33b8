import type { ReadableStore } from '../disk/file-store.ts';

/** A store whose files are blobs of the service: their etags are the keys, so that a copy needs no bytes. */
export interface BlobSource extends ReadableStore {
  readonly keepsBlobs: true;
}

export function isBlobSource(store: ReadableStore): store is BlobSource {
  return 'keepsBlobs' in store;
}
