import type { ByteRange } from '../../domain/disk/file-store.ts';
import { blobStoreNotConfigured } from './blob-errors.ts';
import { isBlobKey } from './outside-store.ts';
import { type OutsidePlace, StagedBlobs } from './staged-blobs.ts';

/** Where the content of blobs lies: old blobs where their rows say, new ones where the configuration says. */
export class BlobPlace {
  /** All content in the database. */
  static readonly inDatabase: BlobPlace = new BlobPlace();
  readonly #outside: OutsidePlace | undefined;

  constructor(outside?: OutsidePlace) {
    this.#outside = outside;
  }

  /**
   * Bytes of a blob that lies outside, within its size; undefined when it is not there any more. Throws DISK_UNAVAILABLE, also
   * when no store is configured.
   */
  async read(location: string, range: ByteRange, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#outside === undefined) {
      throw blobStoreNotConfigured();
    }
    return isBlobKey(location) ? this.#outside.store.read(location, range, signal) : undefined;
  }

  /** Begins a change that may bring content. */
  begin(signal: AbortSignal): StagedBlobs {
    return new StagedBlobs(this.#outside, signal);
  }
}
