import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomIds, systemClock } from '@spanwise/kernel';
import type { OpenDatabase } from '@spanwise/persistence';
import { BlobPlace } from '../src/infrastructure/blobs/blob-place.ts';
import { FolderStore } from '../src/infrastructure/blobs/folder-store.ts';
import type { OutsideStore } from '../src/infrastructure/blobs/outside-store.ts';
import { readBlobs } from '../src/infrastructure/configuration/blob-settings.ts';
import { YamlSource } from '../src/infrastructure/configuration/yaml-source.ts';
import { S3Stub, stubBucket, stubCredentials } from './s3-stub.ts';
import type { TestDatabase } from './stores-under-test.ts';

/** A store of blobs for one test, or for some. */
export interface BlobsUnderTest extends AsyncDisposable {
  readonly store: OutsideStore;
  /** All that it has. */
  keys(): Promise<readonly string[]>;
  /** Loses what it has of a key. */
  lose(key: string): Promise<void>;
}

export async function folderBlobs(): Promise<BlobsUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'spanwise-blobs-'));
  const files = async () => (await readdir(root, { recursive: true })).filter((name) => name.split('/').length === 3);
  return {
    store: await FolderStore.open(root),
    keys: async () => (await files()).map((name) => name.slice('ab/cd/'.length)).toSorted(),
    lose: (key) => rm(join(root, key.slice(0, 2), key.slice(2, 4), key)),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

const secrets = new Map([
  ['BLOBS_KEY_ID', stubCredentials.accessKeyId],
  ['BLOBS_SECRET', stubCredentials.secretAccessKey],
]);

/** The variables that {@link objectBlobsYaml} names. */
export const blobSecret = (variable: string): string | undefined => secrets.get(variable);

/** What a configuration says of blobs in a stub. */
export function objectBlobsYaml(endpoint: string): string {
  return `blobs:
  store: object
  threshold: 1
  service: s3
  bucket: ${stubBucket}
  root: /blobs
  region: eu-central-1
  endpoint: ${endpoint}
  access_key_id_env: BLOBS_KEY_ID
  secret_access_key_env: BLOBS_SECRET
  timeout_ms: 2000
`;
}

export interface ObjectBlobs extends BlobsUnderTest {
  readonly stub: S3Stub;
}

export async function objectBlobs(): Promise<ObjectBlobs> {
  const stub = await S3Stub.open();
  const { open } = readBlobs(new YamlSource('view.yaml', objectBlobsYaml(stub.endpoint)));
  const store = await open?.({ folder: '/', ids: randomIds(), secret: blobSecret });
  if (store === undefined) {
    throw new TypeError('the settings name a store');
  }
  return {
    store,
    stub,
    keys: async () => [...stub.objects.keys()].map((key) => key.slice('blobs/'.length)).toSorted(),
    lose: async (key) => void stub.objects.delete(`blobs/${key}`),
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
}

/** All content but the empty one lies in a store. */
export function placeIn(store: OutsideStore, { sql }: OpenDatabase): BlobPlace {
  return new BlobPlace({ store, threshold: 1, database: sql, clock: systemClock, ids: randomIds() });
}

/** A database whose content lies in a store of its own. */
export async function withBlobsIn(
  openBlobs: () => Promise<BlobsUnderTest>,
  openDatabase: () => Promise<TestDatabase>,
): Promise<TestDatabase & { readonly outside: BlobsUnderTest }> {
  const [database, outside] = [await openDatabase(), await openBlobs()];
  const { first, second } = database;
  return {
    ...database,
    outside,
    blobs: { first: placeIn(outside.store, first), second: placeIn(outside.store, second) },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await outside[Symbol.asyncDispose]();
    },
  };
}
