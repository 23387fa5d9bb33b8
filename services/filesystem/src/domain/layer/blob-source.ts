import type { Caller } from '../disk/caller.ts';
import type { FileNode, ReadableStore } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';

/** A store whose files are blobs of the service: their etags are the keys, so that a copy needs no bytes. */
export interface BlobSource extends ReadableStore {
  readonly keepsBlobs: true;
}

export function isBlobSource(store: ReadableStore): store is BlobSource {
  return 'keepsBlobs' in store;
}

/** A store that knows which of its files are blobs of the service. */
export interface BlobFinder extends ReadableStore {
  /** The file, if its etag is the key of its blob; undefined for whatever else is there. */
  findBlob(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<FileNode | undefined>;
}

export function isBlobFinder(store: ReadableStore): store is BlobFinder {
  return 'findBlob' in store;
}
