import { diskUnavailable, diskUnsupported } from '../../../domain/disk/disk-errors.ts';
import { etagMismatch, fileExists, fileTooLarge } from '../../../domain/disk/file-errors.ts';
import {
  type ByteRange,
  type FileNode,
  type FileSlice,
  maxFileBytes,
  maxStreamedBytes,
  type WriteGuard,
  type WriteOutcome,
} from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { contentEtag } from '../content-etag.ts';
import type { ObjectKeys } from './object-keys.ts';
import type { ObjectStore } from './object-store.ts';
import type { ObjectAbilities } from './probe-store.ts';
import { fileNodeOf, type StoredObject } from './stored-object.ts';

/** How often something is begun again because somebody else came in between. */
const maxAttempts = 20;

/** Single files of a store: what one object after the other can promise. */
export class ObjectFiles {
  readonly #store: ObjectStore;
  readonly #keys: ObjectKeys;
  readonly #abilities: ObjectAbilities;

  constructor(store: ObjectStore, keys: ObjectKeys, abilities: ObjectAbilities) {
    this.#store = store;
    this.#keys = keys;
    this.#abilities = abilities;
  }

  /** Undefined when no file is there. */
  find(path: VirtualPath, signal: AbortSignal): Promise<StoredObject | undefined> {
    return this.#store.stat(this.#keys.file(path), signal);
  }

  /** Bytes of a file and the whole file that they are of; undefined when no file is there. */
  async slice(path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice | undefined> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const object = await this.find(path, signal);
      if (object === undefined) {
        return undefined;
      }
      const length = Math.min(range.length, maxFileBytes);
      const data = await this.#readFrom(path, object, { ...range, length }, signal);
      if (data !== undefined) {
        return { data, node: fileNodeOf(object) };
      }
    }
    throw this.#overtaken('read');
  }

  /**
   * Writes a file where `old` was found. Throws ETAG_MISMATCH or FILE_EXISTS when the guard does not hold, also when the
   * store finds that out.
   */
  async write(
    path: VirtualPath,
    data: Uint8Array,
    { ifMatch, createOnly }: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const hash = contentEtag(data);
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const old = await this.find(path, signal);
      assertGuard(path, old && fileNodeOf(old), { ifMatch, createOnly });
      if (ifMatch !== undefined && old?.tag === undefined) {
        throw diskUnsupported(this.#store.name, 'if_match for a file without a strong entity tag');
      }
      const condition = { tag: ifMatch === undefined ? undefined : old?.tag, createOnly };
      const written = await this.#put(path, data, { ...condition, hash }, signal);
      if (typeof written !== 'string') {
        return { node: await this.#writtenNode(path, data, hash, written.tag, signal), isCreated: old === undefined };
      }
    }
    throw this.#overtaken('write');
  }

  /**
   * Copies a file to where nothing is, which is made sure of by the store. Answers what was copied; undefined when it is
   * gone. Throws FILE_EXISTS or FILE_TOO_LARGE.
   */
  async copy(from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<StoredObject | undefined> {
    if (!this.#abilities.createOnly) {
      throw diskUnsupported(this.#store.name, 'moving files: its store could replace others by them');
    }
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const object = await this.find(from, signal);
      if (object === undefined) {
        return undefined;
      }
      if (object.size > maxStreamedBytes) {
        throw fileTooLarge(from, maxStreamedBytes);
      }
      const data = await this.#readFrom(from, object, { offset: 0, length: object.size }, signal);
      if (data !== undefined) {
        await this.#create(to, data, signal);
        return object;
      }
    }
    throw this.#overtaken('move');
  }

  /** Throws DISK_UNAVAILABLE when a file is not any more what it was. */
  async assertUnchanged(path: VirtualPath, before: StoredObject, signal: AbortSignal): Promise<void> {
    const now = await this.find(path, signal);
    if (now !== undefined && !isSame(now, before)) {
      throw this.#overtaken('move');
    }
  }

  async #create(path: VirtualPath, data: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const written = await this.#put(path, data, { createOnly: true, hash: contentEtag(data) }, signal);
      if (written === 'condition') {
        throw fileExists(path);
      }
      if (typeof written !== 'string') {
        return;
      }
    }
    throw this.#overtaken('move');
  }

  #put(
    path: VirtualPath,
    data: Uint8Array,
    condition: { readonly tag?: string | undefined; readonly createOnly?: boolean | undefined; readonly hash: string },
    signal: AbortSignal,
  ) {
    const hash = this.#abilities.keepsHashes ? condition.hash : undefined;
    return this.#store.write(this.#keys.file(path), data, { ...condition, hash }, signal);
  }

  /** What a write has left: its time is only known when nobody has written since. */
  async #writtenNode(
    path: VirtualPath,
    data: Uint8Array,
    hash: string,
    tag: string | undefined,
    signal: AbortSignal,
  ): Promise<FileNode> {
    const now = await this.find(path, signal);
    if (now !== undefined && (this.#abilities.keepsHashes ? now.hash === hash : tag === undefined || now.tag === tag)) {
      return fileNodeOf(now);
    }
    return fileNodeOf({
      size: data.length,
      tag,
      hash: this.#abilities.keepsHashes ? hash : undefined,
      modifyTimeMs: undefined,
    });
  }

  /** Bytes of exactly this version; undefined when it is there no more. */
  async #readFrom(
    path: VirtualPath,
    object: StoredObject,
    { offset, length }: ByteRange,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const size = Math.min(length, object.size - offset);
    if (size <= 0) {
      return new Uint8Array();
    }
    const isSure = this.#abilities.readsIfMatch && object.tag !== undefined;
    const address = this.#keys.file(path);
    const data = await this.#store.read(address, { offset, length: size }, isSure ? object.tag : undefined, signal);
    if (data === 'length' && isSure) {
      throw diskUnavailable(this.#store.name, 'read was answered with another length');
    }
    if (typeof data === 'string') {
      return undefined;
    }
    const now = isSure ? object : await this.find(path, signal);
    return now !== undefined && isSame(now, object) ? data : undefined;
  }

  #overtaken(what: string) {
    return diskUnavailable(this.#store.name, `${what}: the object never came to rest`);
  }
}

/** Throws unless a file, or none, is what a guard asks for. */
export function assertGuard(path: VirtualPath, node: FileNode | undefined, { ifMatch, createOnly }: WriteGuard): void {
  if (createOnly === true && node !== undefined) {
    throw fileExists(path);
  }
  if (ifMatch !== undefined && node?.etag !== ifMatch) {
    throw etagMismatch(path, node?.etag ?? '');
  }
}

function isSame(one: StoredObject, other: StoredObject): boolean {
  return (
    one.tag === other.tag &&
    one.hash === other.hash &&
    one.size === other.size &&
    one.modifyTimeMs === other.modifyTimeMs
  );
}
