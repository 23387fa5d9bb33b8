import { DomainError } from '@spanwise/kernel';
import { isDiskUnavailable } from '../../domain/disk/disk-errors.ts';
import type { ByteRange } from '../../domain/disk/file-store.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { ObjectKeys } from '../disks/object/object-keys.ts';
import type { ObjectStore } from '../disks/object/object-store.ts';
import { blobStoreUnavailable } from './blob-errors.ts';
import type { OutgoingContent, OutsideStore } from './outside-store.ts';

/** Blobs as objects. What is stored is held in memory, 32 MiB at most: it is one request. */
export class ObjectBlobStore implements OutsideStore {
  readonly #store: ObjectStore;
  readonly #keys: ObjectKeys;

  constructor({ store, keys }: { readonly store: ObjectStore; readonly keys: ObjectKeys }) {
    this.#store = store;
    this.#keys = keys;
  }

  /**
   * Writes an object and removes it again, to find out at the start what the store refuses; `id` is random, 32 hex digits. One
   * that does not answer is asked again by whoever needs it. Throws INVALID_FIELD.
   */
  async probe(id: string, signal: AbortSignal): Promise<void> {
    const probe = this.#keys.probe(id);
    try {
      await this.#store.write(probe, new Uint8Array([1]), {}, signal);
      await this.#store.remove(probe, signal);
    } catch (error) {
      if (!signal.aborted && !isDiskUnavailable(error)) {
        throw new DomainError('invalid', 'INVALID_FIELD', 'the store lets nothing be written and removed', {
          cause: error,
        });
      }
    }
  }

  async put(key: string, { size, pieces }: OutgoingContent, signal: AbortSignal): Promise<void> {
    const data = new Uint8Array(size);
    let done = 0;
    for await (const piece of pieces) {
      signal.throwIfAborted();
      data.set(piece, done);
      done += piece.length;
    }
    if (done !== size) {
      throw blobStoreUnavailable(`${done} bytes in place of ${size}`);
    }
    const written = await orUnavailable(() => this.#store.write(this.#at(key), data, {}, signal));
    if (typeof written === 'string') {
      throw blobStoreUnavailable(`the write was refused: ${written}`);
    }
  }

  async read(key: string, range: ByteRange, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const data = await orUnavailable(() => this.#store.read(this.#at(key), range, undefined, signal));
    if (typeof data === 'string' && data !== 'missing') {
      throw blobStoreUnavailable(`the read was refused: ${data}`);
    }
    return typeof data === 'string' ? undefined : data;
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return orUnavailable(() => this.#store.remove(this.#at(key), signal));
  }

  #at(key: string) {
    return this.#keys.file(VirtualPath.root.child(key));
  }
}

/** A refusal names the key as if it were a path of the user, who has nothing to do with it. */
async function orUnavailable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DomainError ? blobStoreUnavailable(error) : error;
  }
}
