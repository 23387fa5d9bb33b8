import { randomIds, systemClock } from '@spanwise/kernel';
import { type Database, databaseUnavailable } from '@spanwise/persistence';
import type { OpenDisk } from '../src/infrastructure/disks/disk-kind.ts';
import { objectDiskKind } from '../src/infrastructure/disks/object/object-disk-kind.ts';
import { S3Stub, type S3StubOptions, stubBucket, stubCredentials } from './s3-stub.ts';
import type { StoreUnderTest } from './stores-under-test.ts';

const refuse = async () => {
  throw databaseUnavailable('an object disk has none');
};
const noDatabase: Database = { dialect: 'sqlite', run: refuse, all: refuse, transaction: refuse };
const secrets = new Map([
  ['ARCHIVE_KEY_ID', stubCredentials.accessKeyId],
  ['ARCHIVE_SECRET', stubCredentials.secretAccessKey],
  ['WRONG_SECRET', 'of somebody else'],
]);

/** What the keys of {@link openObjectDisk} begin with. */
export const rootPrefix = 'tenant/files/';

/** Opens a disk as the configuration does; `settings` on top of those for an S3 store with a root and credentials. */
export function openObjectDisk(endpoint: string, settings: Readonly<Record<string, unknown>> = {}): Promise<OpenDisk> {
  const open = objectDiskKind.settings.parse({
    ...{ kind: 'object', service: 's3', bucket: stubBucket, root: '/tenant/files', region: 'eu-central-1', endpoint },
    ...{ access_key_id_env: 'ARCHIVE_KEY_ID', secret_access_key_env: 'ARCHIVE_SECRET' },
    ...settings,
  });
  const secret = (variable: string) => secrets.get(variable);
  return open({ name: 'archive', folder: '/', database: noDatabase, clock: systemClock, ids: randomIds(), secret });
}

export interface ObjectStoreUnderTest extends StoreUnderTest {
  readonly store: OpenDisk;
  readonly stub: S3Stub;
}

/** A disk on a stub of its own, and another instance of it. */
export async function objectStore(options: S3StubOptions = {}): Promise<ObjectStoreUnderTest> {
  const stub = await S3Stub.open(options);
  const [store, replica] = [await openObjectDisk(stub.endpoint), await openObjectDisk(stub.endpoint)];
  return { store, replica, stub, [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose]() };
}

/** The same without the other instance: moves and keys of changes are the matter of the one process that makes them. */
export async function loneObjectStore(): Promise<StoreUnderTest> {
  const { store, stub } = await objectStore();
  return { store, [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose]() };
}
