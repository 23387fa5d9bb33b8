import type { Lister, Operator } from 'opendal';
import { diskUnavailable, diskUnsupported } from '../../../domain/disk/disk-errors.ts';
import type { ByteRange } from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { ObjectAddress } from './object-keys.ts';
import { failureAt, type Refusal, refusalOf } from './store-failure.ts';
import { StoreSlots } from './store-slots.ts';
import { hashMetadata, type ListedObject, listedOf, objectOf, type StoredObject } from './stored-object.ts';

export interface ObjectStoreDeps {
  /** Name of the disk. */
  readonly name: string;
  /** With limits of its own. */
  readonly operator: Operator;
  /** Milliseconds for one request. */
  readonly timeoutMs: number;
}

export interface WriteOptions {
  /** The object that is replaced has this entity tag. */
  readonly tag?: string | undefined;
  /** Nothing is replaced. */
  readonly createOnly?: boolean | undefined;
  /** SHA-256 to keep with it. */
  readonly hash?: string | undefined;
}

export interface ListingOptions {
  /** Keys after this one; only where the store is paged. */
  readonly after?: string | undefined;
  /** Keys that the store tells at once at most; only where it is paged. */
  readonly pageKeys?: number | undefined;
  /** True: all keys; false: those directly in the directory, and of what is below the directories only. */
  readonly isRecursive: boolean;
}

const slots = 32;
/** Keys of one listing at most: what a store that never ends could make the disk read. */
const maxListedKeys = 100_000;
const keysAtOnce = 256;
/** A whole listing has as much time as this many requests. */
const listingTimeouts = 4;

/**
 * The requests that the disk makes, by key. Never more than one object a request: the driver's own removal of several asks
 * a store that answers nothing for ever, and nothing can stop it. Failures are FILE_ACCESS_DENIED or DISK_UNAVAILABLE.
 */
export class ObjectStore {
  readonly name: string;
  /** Whether listings come by key in byte order, in pages that can begin anywhere. */
  readonly isPaged: boolean;
  /** What the driver claims to pass on; whether the store honours it is another matter. */
  readonly claims: { readonly createOnly: boolean; readonly ifMatch: boolean; readonly readsIfMatch: boolean };
  readonly #operator: Operator;
  readonly #slots: StoreSlots;
  readonly #timeoutMs: number;

  constructor({ name, operator, timeoutMs }: ObjectStoreDeps) {
    const claimed = operator.capability();
    this.name = name;
    this.isPaged = claimed.listWithLimit && claimed.listWithStartAfter;
    this.claims = {
      createOnly: claimed.writeWithIfNotExists,
      ifMatch: claimed.writeWithIfMatch,
      readsIfMatch: claimed.readWithIfMatch,
    };
    this.#operator = operator;
    this.#timeoutMs = timeoutMs;
    this.#slots = new StoreSlots({ name, slots, timeoutMs });
  }

  /** Undefined when no object has the key. */
  async stat({ key, path }: ObjectAddress, signal: AbortSignal): Promise<StoredObject | undefined> {
    const ask = this.#orRefusal(path, 'stat', () => this.#operator.stat(key));
    const metadata = await this.#slots.read(ask, signal);
    return typeof metadata === 'string' || metadata.isDirectory() ? undefined : objectOf(metadata);
  }

  /** Whether a key begins with that of a directory. */
  async hasDirectory({ key, path }: ObjectAddress, signal: AbortSignal): Promise<boolean> {
    const ask = this.#orRefusal(path, 'stat', () => this.#operator.stat(key));
    return typeof (await this.#slots.read(ask, signal)) !== 'string';
  }

  /** Exactly the bytes of a range that lies within the object; `tag` is the entity tag that it must have. */
  async read(
    { key, path }: ObjectAddress,
    { offset, length }: ByteRange,
    tag: string | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array | Refusal> {
    const range = { offset: BigInt(offset), size: BigInt(length) };
    const ask = this.#orRefusal(path, 'read', () =>
      this.#operator.read(key, tag === undefined ? range : { ...range, ifMatch: tag }),
    );
    const data = await this.#slots.read(ask, signal);
    if (typeof data !== 'string' && data.length !== length) {
      return 'length';
    }
    return typeof data === 'string' ? data : new Uint8Array(data.buffer, data.byteOffset, data.length);
  }

  /** Answers the entity tag of what was written, if the store tells it. The bytes are not to change meanwhile. */
  async write(
    { key, path }: ObjectAddress,
    data: Uint8Array,
    { tag, createOnly, hash }: WriteOptions,
    signal: AbortSignal,
  ): Promise<Pick<StoredObject, 'tag'> | Refusal> {
    const content = Buffer.from(data.buffer, data.byteOffset, data.length);
    const ask = this.#orRefusal(path, 'write', () =>
      this.#operator.write(key, content, {
        ...(tag === undefined ? {} : { ifMatch: tag }),
        ...(createOnly === true ? { ifNotExists: true } : {}),
        ...(hash === undefined ? {} : { userMetadata: { [hashMetadata]: hash } }),
      }),
    );
    const written = await this.#slots.change(ask, signal);
    return typeof written === 'string' ? written : objectOf(written);
  }

  /** Makes the object that marks a directory; fine when it is there. */
  mark({ key, path }: ObjectAddress, signal: AbortSignal): Promise<void> {
    return this.#slots.change(
      this.#orFailure(path, 'mark', () => this.#operator.createDir(key)),
      signal,
    );
  }

  /** Removes an object; fine when it is gone. */
  remove({ key, path }: ObjectAddress, signal: AbortSignal): Promise<void> {
    return this.#slots.change(
      this.#orFailure(path, 'remove', () => this.#operator.delete(key)),
      signal,
    );
  }

  /** Keys that begin with that of a directory, whatever they look like. Throws DISK_UNSUPPORTED when they are too many. */
  async *list(
    { key: prefix, path }: ObjectAddress,
    { after, pageKeys, isRecursive }: ListingOptions,
    signal: AbortSignal,
  ): AsyncGenerator<ListedObject> {
    const options = {
      recursive: isRecursive,
      ...(after === undefined || !this.isPaged ? {} : { startAfter: after }),
      ...(pageKeys === undefined || !this.isPaged ? {} : { limit: pageKeys }),
    };
    const begin = this.#orFailure(path, 'list', () => this.#operator.lister(prefix, options));
    const lister = await this.#slots.read(begin, signal);
    const goOn = this.#orFailure(path, 'list', () => nextOf(lister));
    const late = AbortSignal.timeout(listingTimeouts * this.#timeoutMs);
    for (let count = 0; count < maxListedKeys && !late.aborted; count += keysAtOnce) {
      const { entries, isLast } = await this.#slots.read(goOn, signal);
      // The driver also tells keys that were not asked for, if the store does.
      yield* entries.filter(({ key }) => key.startsWith(prefix));
      if (isLast) {
        return;
      }
    }
    throw late.aborted
      ? diskUnavailable(this.name, 'list took too long')
      : diskUnsupported(this.name, `more than ${maxListedKeys} keys at once`);
  }

  /** Makes of a request one that fails without telling an address. */
  #orFailure<Result>(path: VirtualPath, operation: string, ask: () => Promise<Result>) {
    return async (): Promise<Result> => {
      try {
        return await ask();
      } catch (error) {
        throw failureAt(this.name, path, operation, error);
      }
    };
  }

  /** The same, with refusals as answers. */
  #orRefusal<Result>(path: VirtualPath, operation: string, ask: () => Promise<Result>) {
    const orRefusal = (): Promise<Result | Refusal> =>
      ask().catch((error: unknown) => {
        const refusal = refusalOf(error);
        if (refusal === undefined) {
          throw error;
        }
        return refusal;
      });
    return this.#orFailure(path, operation, orRefusal);
  }
}

async function nextOf(lister: Lister) {
  const entries: ListedObject[] = [];
  while (entries.length < keysAtOnce) {
    const entry = await lister.next();
    if (entry === null) {
      return { entries, isLast: true };
    }
    entries.push(listedOf(entry));
  }
  return { entries, isLast: false };
}
