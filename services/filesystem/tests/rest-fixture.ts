import { randomIds, systemClock } from '@spanwise/kernel';
import { type Database, databaseUnavailable } from '@spanwise/persistence';
import type { OpenDisk } from '../src/infrastructure/disks/disk-kind.ts';
import { restDiskKind } from '../src/infrastructure/disks/rest/rest-disk-kind.ts';
import { type RestReferenceServer, startRestReferenceServer } from './rest-reference-server.ts';
import type { StoreUnderTest } from './stores-under-test.ts';

/** The token that {@link openRestDisk} finds in the variable `FILES_TOKEN`. */
export const serviceToken = 'token-of-the-service';

const refuse = async () => {
  throw databaseUnavailable('a rest disk has none');
};
const noDatabase: Database = { dialect: 'sqlite', run: refuse, all: refuse, transaction: refuse };

/** Opens a disk as the configuration does. By default all that the API offers is relied on, and no token is sent. */
export function openRestDisk(baseUrl: string, settings: Readonly<Record<string, unknown>> = {}): Promise<OpenDisk> {
  const open = restDiskKind.settings.parse({
    ...{ kind: 'rest', base_url: baseUrl, auth: 'none', if_match: true, create_only: true },
    ...settings,
  });
  const secret = (variable: string) => (variable === 'FILES_TOKEN' ? serviceToken : undefined);
  return open({ name: 'users', folder: '/', database: noDatabase, clock: systemClock, ids: randomIds(), secret });
}

export interface RestStore extends StoreUnderTest {
  readonly server: RestReferenceServer;
}

/** A disk on a reference server of its own, which takes the token of the service only, and another instance of it. */
export async function restStore(): Promise<RestStore> {
  const server = await startRestReferenceServer({ tokens: [serviceToken] });
  const settings = { auth: 'service', token_env: 'FILES_TOKEN' };
  const [store, replica] = [await openRestDisk(server.baseUrl, settings), await openRestDisk(server.baseUrl, settings)];
  return {
    ...{ server, store, replica },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]?.();
      await replica[Symbol.asyncDispose]?.();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The same without the other instance: keys of changes are kept apart from effects, by the one process that makes them. */
export async function loneRestStore(): Promise<StoreUnderTest> {
  const { store, ...opened } = await restStore();
  return { store, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}
