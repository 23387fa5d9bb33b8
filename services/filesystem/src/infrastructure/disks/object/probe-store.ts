import { DomainError } from '@spanwise/kernel';
import { diskUnavailable } from '../../../domain/disk/disk-errors.ts';
import { contentEtag } from '../content-etag.ts';
import type { ObjectAddress } from './object-keys.ts';
import type { ObjectStore, WriteOptions } from './object-store.ts';

/** What a store has shown that it does. */
export interface ObjectAbilities {
  /** Writes with If-Match, and entity tags to write them with. */
  readonly ifMatch: boolean;
  /** Writes with `If-None-Match: *`. */
  readonly createOnly: boolean;
  /** Reads with If-Match. */
  readonly readsIfMatch: boolean;
  /** It keeps the hash of a file with it. */
  readonly keepsHashes: boolean;
}

const none: ObjectAbilities = { ifMatch: false, createOnly: false, readsIfMatch: false, keepsHashes: false };
const wrongTag = '"00000000000000000000000000000000"';
const [first, second, third] = [utf8('first'), utf8('second'), utf8('third')];

/**
 * Finds out what a store does by doing it with one object, which is removed again. What it claims, and what the driver
 * claims, counts for nothing: there are stores that take a condition and ignore it. Where nothing can be written nothing is
 * claimed. Throws DISK_UNAVAILABLE when the store can not be reached.
 */
export async function probeStore(store: ObjectStore, probe: ObjectAddress): Promise<ObjectAbilities> {
  const never = new AbortController().signal;
  const abilities = await probeObject(store, probe, never).catch((error: unknown) => {
    if (error instanceof DomainError && error.reason === 'FILE_ACCESS_DENIED') {
      return none;
    }
    throw error;
  });
  // Whoever may write but not remove keeps it; no path leads to it.
  await store.remove(probe, never).catch(() => undefined);
  return abilities;
}

async function probeObject(store: ObjectStore, probe: ObjectAddress, signal: AbortSignal): Promise<ObjectAbilities> {
  const put = async (data: Uint8Array, condition: Pick<WriteOptions, 'tag' | 'createOnly'>) => {
    const hash = contentEtag(data);
    return typeof (await store.write(probe, data, { ...condition, hash }, signal)) === 'string' ? 'refused' : 'taken';
  };
  const reads = async (data: Uint8Array, tag?: string) => {
    const found = await store.read(probe, { offset: 0, length: data.length }, tag, signal);
    return typeof found === 'string' ? found : Buffer.compare(found, data) === 0;
  };
  const { claims } = store;
  let createOnly = claims.createOnly && (await put(first, { createOnly: true })) === 'taken';
  createOnly &&= (await put(second, { createOnly: true })) === 'refused' && (await reads(first)) === true;
  const replace = async () => {
    if ((await put(first, {})) === 'refused') {
      throw diskUnavailable(store.name, 'a write without conditions was refused');
    }
  };
  await replace();
  const { tag, hash } = (await store.stat(probe, signal)) ?? {};
  const keepsHashes = hash === contentEtag(first);
  if (tag === undefined) {
    return { ...none, createOnly, keepsHashes };
  }
  let ifMatch = claims.ifMatch && (await put(second, { tag: wrongTag })) === 'refused';
  ifMatch &&= (await reads(first)) === true && (await put(third, { tag })) === 'taken';
  ifMatch &&= (await put(second, { tag })) === 'refused' && (await reads(third)) === true;
  await replace();
  let readsIfMatch = claims.readsIfMatch && (await reads(first, wrongTag)) === 'condition';
  const now = await store.stat(probe, signal);
  readsIfMatch &&= (await reads(first, now?.tag)) === true;
  return { ifMatch, createOnly, readsIfMatch, keepsHashes };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
