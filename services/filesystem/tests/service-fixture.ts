import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { brandId, randomIds, type Uid } from '@spanwise/kernel';
import {
  callOptions,
  createInternalTransport,
  type Identity,
  type RunningService,
  toDomainError,
} from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { createFilesystemService } from '../src/composition-root.ts';
import { readFilesystemConfig } from '../src/config.ts';
import { stubCredentials } from './s3-stub.ts';

export type FilesClient = Client<typeof FileSystemService>;

const viewFile = `disks:
  work: {kind: tree}
  shelf: {kind: local, root: ./shelf, trusted: true}
  notes: {kind: memory}
fs_view:
  session:
    mount_conf:
      - {mount: /workspace, disk_name: work, remote: "/{uid}/{session_id}", output_path: true}
      - {mount: /shelf, disk_name: shelf, read_only: true}
      - {mount: /files, disk_name: shelf, remote: "/of/{uid}"}
      - {mount: /notes, disk_name: notes, remote: "/{uid}"}
`;

export interface ServiceFixture extends AsyncDisposable {
  readonly url: string;
  /** A client on whose calls the user is named, as another service names it; by default that is `test`. */
  as(uid: string, caller?: string): FilesClient;
  /** Another process of the service on the same database. */
  replica(): Promise<ServiceFixture>;
}

/**
 * The real service on a free port, with three disks, on a database of its own; `more` is added to its YAML file, `tree` is
 * what it says of the tree disk.
 */
export async function serviceFixture(databaseUrl?: string, more = '', tree = '{kind: tree}'): Promise<ServiceFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-fs-service-'));
  await Promise.all(['shelf', 'blobs'].map((name) => mkdir(join(folder, name))));
  await writeFile(join(folder, 'shelf/book.md'), '# A book\n\nwith a total of 7\n');
  await writeFile(join(folder, 'view.yaml'), viewFile.replace('{kind: tree}', tree) + more);
  const fixture = await start(folder, databaseUrl ?? `sqlite:${folder}/fs.db`);
  return {
    ...fixture,
    async [Symbol.asyncDispose]() {
      await fixture[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(folder: string, databaseUrl: string): Promise<ServiceFixture> {
  const env = {
    SPANWISE_PORT: '0',
    SPANWISE_DATABASE_URL: databaseUrl,
    SPANWISE_MIGRATE: 'always',
    SPANWISE_FS_VIEW: join(folder, 'view.yaml'),
    BLOBS_KEY_ID: stubCredentials.accessKeyId,
    BLOBS_SECRET: stubCredentials.secretAccessKey,
  };
  const service: RunningService = await createFilesystemService(readFilesystemConfig(env), { logger: silentLogger });
  const callers = new AsyncDisposableStack();
  const clientOf = (caller: string) => {
    const telemetry = callers.use(new Telemetry({ service: caller, env: {} }));
    return createClient(FileSystemService, createInternalTransport({ baseUrl: service.server.url, telemetry }));
  };
  const clients = new Map<string, FilesClient>();
  return {
    url: service.server.url,
    as(uid, caller = 'test') {
      const client = clients.get(caller) ?? clientOf(caller);
      clients.set(caller, client);
      return asUser(client, uid);
    },
    replica: () => start(folder, databaseUrl),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await callers.disposeAsync();
    },
  };
}

function asUser(client: FilesClient, uid: string): FilesClient {
  return withIdentity(client, { uid: brandId<Uid>(uid), email: '', token: 'secret-token' });
}

/** A client on whose calls the user is named. */
export function withIdentity(client: FilesClient, identity: Identity): FilesClient {
  type Call = (request: unknown, options: CallOptions) => unknown;
  return new Proxy(client, {
    get: (target, name) => (request: unknown, options?: CallOptions) =>
      (Reflect.get(target, name) as Call)(request, { ...callOptions({ identity }), ...options }),
  });
}

const ids = randomIds();

/** An open view with short ways to use it. */
export async function openView(client: FilesClient, options: { viewId?: string; sessionId?: string } = {}) {
  const { viewId = ids.uuid(), sessionId = ids.uuid() } = options;
  await client.openView({ viewId, sessionId });
  return {
    viewId,
    sessionId,
    client,
    put: async (path: string, text: string, guard: { ifMatch?: string; createOnly?: boolean } = {}) =>
      client.write({ viewId, path, data: new TextEncoder().encode(text), ...guard }),
    text: async (path: string) => new TextDecoder().decode((await client.read({ viewId, path })).data),
  };
}

/** Kind, reason and facts of an expected failure, as a client sees them. */
export async function failure(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    const { kind, reason, facts } = toDomainError(error);
    return { kind, reason, facts };
  }
  return { kind: undefined, reason: 'it did not fail', facts: {} };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  return Array.fromAsync(items);
}
