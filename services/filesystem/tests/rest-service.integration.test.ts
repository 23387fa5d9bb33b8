import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createClient } from '@connectrpc/connect';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { brandId, type Uid } from '@spanwise/kernel';
import { createInternalTransport } from '@spanwise/service-kit';
import { type Logger, Telemetry } from '@spanwise/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFilesystemService } from '../src/composition-root.ts';
import { readFilesystemConfig } from '../src/config.ts';
import { type RestReferenceServer, startRestReferenceServer } from './rest-reference-server.ts';
import { failure, openView, withIdentity } from './service-fixture.ts';

const userToken = 'eyJ.the-token-of-ada.x';
const serviceToken = 'the-token-of-the-service';
const viewFile = (baseUrl: string) => `disks:
  users: {kind: rest, base_url: "${baseUrl}", auth: forward_user, if_match: true, create_only: true}
  plain: {kind: rest, base_url: "${baseUrl}", auth: forward_user}
  shared: {kind: rest, base_url: "${baseUrl}", auth: service, token_env: FILES_TOKEN}
fs_view:
  session:
    mount_conf:
      - {mount: /users, disk_name: users, remote: "/{uid}/{session_id}", output_path: true}
      - {mount: /plain, disk_name: plain, remote: "/plain/{uid}"}
      - {mount: /shared, disk_name: shared, remote: /shared}
`;

/** Keeps whatever is said to it. */
class Witness {
  readonly heard: unknown[] = [];

  get logger(): Logger {
    const hear = (...said: unknown[]) => void this.heard.push(said);
    const logger = { debug: hear, info: hear, warn: hear, error: hear, child: () => logger };
    return logger as unknown as Logger;
  }

  telemetry(): Telemetry {
    const hear = (span: unknown) => void this.heard.push(span);
    const processor = {
      onStart: hear,
      onEnd: hear,
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    };
    return new Telemetry({ service: 'filesystem', env: { OTEL_TRACES_SAMPLER: 'always_on' }, processor });
  }
}

let folder: string;
let server: RestReferenceServer;
let witness: Witness;
let resources: AsyncDisposableStack;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanwise-rest-service-'));
  resources = new AsyncDisposableStack();
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  witness = new Witness();
  server = resources.use(await startRestReferenceServer({ tokens: [userToken, serviceToken] }));
  await writeFile(join(folder, 'view.yaml'), viewFile(server.baseUrl));
});
afterEach(() => resources.disposeAsync());

function configuration(env: Readonly<Record<string, string>> = { FILES_TOKEN: serviceToken }) {
  const database = `sqlite:${folder}/fs.db`;
  return readFilesystemConfig({
    ...{ SPANWISE_PORT: '0', SPANWISE_DATABASE_URL: database, SPANWISE_FS_VIEW: join(folder, 'view.yaml') },
    ...env,
  });
}

/** The service, with clients for Ada by the token that she sends. */
async function start() {
  const telemetry = resources.use(witness.telemetry());
  const service = await createFilesystemService(configuration(), { logger: witness.logger, telemetry });
  resources.use(service);
  const transport = createInternalTransport({ baseUrl: service.server.url, telemetry });
  return (token: string) => {
    const identity = { uid: brandId<Uid>('ada'), email: '', token };
    return withIdentity(createClient(FileSystemService, transport), identity);
  };
}

test('forwards the token of the user, and keeps it out of logs, spans, errors and the database', async () => {
  const as = await start();
  const { put, text, client, viewId, sessionId } = await openView(as(userToken));
  await put('/users/notes/today.txt', 'sold: 7');
  await put('/shared/x', 'for everybody');
  expect(await text('/users/notes/today.txt')).toBe('sold: 7');
  await client.edit({ viewId, path: '/users/notes/today.txt', oldText: '7', newText: '8' });
  expect(await text('/users/notes/today.txt')).toBe('sold: 8');
  expect((await client.listOutputs({ viewId })).files.map(({ path }) => path)).toEqual(['/users/notes/today.txt']);
  const isShared = (url: string) => url.startsWith('/users/files/shared');
  expect(new Set(server.seen.map(({ url, token }) => `${isShared(url)} ${token}`))).toEqual(
    new Set([`false ${userToken}`, `true ${serviceToken}`]),
  );
  const failures = [
    await failure(client.read({ viewId, path: '/users/none' })),
    await failure(client.move({ viewId, fromPath: '/users/notes', toPath: '/users/notes/today.txt' })),
  ];
  await server[Symbol.asyncDispose]();
  failures.push(await failure(client.read({ viewId, path: '/users/notes/today.txt' })));
  expect(failures.map(({ reason }) => reason)).toEqual(['FILE_NOT_FOUND', 'PATH_INVALID', 'DISK_UNAVAILABLE']);
  const stored = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')));
  const everything = inspect([witness.heard, failures], { depth: 12, showHidden: true, maxArrayLength: null });
  // That there is something to look through: spans of calls, lines of refusals, the view in the database.
  expect(everything).toContain('spanwise.filesystem.v1.FileSystemService/Read');
  expect(everything).toContain('request refused');
  expect(stored.join('')).toContain(sessionId);
  for (const told of [everything, ...stored]) {
    expect(told).not.toContain(userToken);
    expect(told).not.toContain(serviceToken);
  }
});

test.each(['', 'no-longer-valid'])('tells a user without a valid token to sign in: %j', async (token) => {
  const as = await start();
  const { viewId, client, put } = await openView(as(token));
  const refused = { kind: 'unauthenticated', reason: 'DISK_AUTH_REQUIRED', facts: { disk: 'users' } };
  expect(await failure(put('/users/x', 'x'))).toEqual(refused);
  expect(await failure(client.read({ viewId, path: '/users/x' }))).toEqual(refused);
  await put('/shared/x', 'x');
});

test('refuses guards, and edits, which need them, where the server is not stated to honour them', async () => {
  const as = await start();
  const { viewId, client, put, text } = await openView(as(userToken));
  await put('/plain/x', 'one');
  const unsupported = { kind: 'unsupported', reason: 'DISK_UNSUPPORTED', facts: { disk: 'plain' } };
  expect(await failure(put('/plain/x', 'two', { createOnly: true }))).toEqual(unsupported);
  expect(await failure(put('/plain/x', 'two', { ifMatch: 'e' }))).toEqual(unsupported);
  expect(await failure(client.delete({ viewId, path: '/plain/x', ifMatch: 'e' }))).toEqual(unsupported);
  expect(await failure(client.edit({ viewId, path: '/plain/x', oldText: 'one', newText: 'two' }))).toEqual(unsupported);
  expect(await text('/plain/x')).toBe('one');
});

test('does not start without the token of a disk, and names its line', async () => {
  const starting = createFilesystemService(configuration({}), { logger: witness.logger });
  await expect(starting).rejects.toThrow('view.yaml:4: disk shared: the variable FILES_TOKEN of token_env is not set.');
});
