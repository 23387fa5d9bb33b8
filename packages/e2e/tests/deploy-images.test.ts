import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpanwiseClient } from '@spanwise/client';
import { demoModel, demoTask } from '@spanwise/dev-stack';
import {
  freshDatabase,
  mysqlServerUrl,
  natsServerUrl,
  type OtlpReceiver,
  startOtlpReceiver,
  startScriptedModel,
} from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Container, freePort, layOut, runJob, startContainer } from './deploy-container.ts';
import { root, type ServiceName, services, type Variables } from './deploy-files.ts';
import { follow } from './follow.ts';

const identity = { SPANWISE_JWT_ISSUER: 'http://identity.test', SPANWISE_JWT_AUDIENCE: 'spanwise' };

describe.skipIf(mysqlServerUrl === undefined)('what the images run, on MySQL and NATS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanwise-images-'));
  const folderOf = (service: ServiceName) => join(folder, service);
  const resources = new AsyncDisposableStack();
  const containers = new Map<ServiceName, Container>();
  const environments = new Map<ServiceName, Variables>();
  let collector: OtlpReceiver;
  let identityServer: ChildProcess;
  const dev = (...args: readonly string[]) => ({
    args: [join(root, 'deploy/compose/dev-identity.mjs'), ...args],
    env: { PATH: process.env.PATH, TMPDIR: folder, SPANWISE_PORT: '0', ...identity },
  });
  const tokenOf = (uid: string) => {
    const { args, env } = dev('token', uid, `${uid}@example.test`);
    return spawnSync(process.execPath, args, { env, encoding: 'utf8' }).stdout.trim();
  };
  const clientOf = (token: string) =>
    new SpanwiseClient({ baseUrl: containers.get('session')?.url ?? '', token: () => token });

  async function start(service: ServiceName, port: number) {
    const container = resources.use(startContainer(service, folderOf(service), port, environments.get(service) ?? {}));
    containers.set(service, container);
    return container;
  }

  beforeAll(async () => {
    const bundled = spawnSync(process.execPath, ['scripts/bundle.mjs', ...services], { cwd: root, encoding: 'utf8' });
    expect(bundled.stderr).toBe('');
    services.forEach((service) => layOut(service, folderOf(service)));
    collector = resources.use(await startOtlpReceiver());
    const model = resources.use(await startScriptedModel(demoModel));
    const { args, env } = dev();
    identityServer = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    resources.defer(() => void identityServer.kill());
    const said = await new Promise<string>((resolve) =>
      identityServer.stdout?.once('data', (text) => resolve(`${text}`)),
    );
    const identityPort = /port (\d+)/.exec(said)?.[1];

    const [session, runtime, toolHost, filesystem] = await Promise.all(services.map(freePort));
    const url = (port: number | undefined) => `http://127.0.0.1:${port}`;
    const observed = {
      SPANWISE_LOG_LEVEL: 'error',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
    const database = async () => ({
      ...observed,
      SPANWISE_DATABASE_URL: resources.use(await freshDatabase(mysqlServerUrl ?? '')).url,
    });
    environments.set('filesystem', await database());
    environments.set('tool-host', { ...(await database()), SPANWISE_FILESYSTEM_URL: url(filesystem) });
    environments.set('agent-runtime', {
      ...observed,
      SPANWISE_NATS_URL: natsServerUrl ?? '',
      SPANWISE_MODEL_BASE_URL: model.baseUrl,
      SPANWISE_TOOL_HOST_URL: url(toolHost),
      SPANWISE_FILESYSTEM_URL: url(filesystem),
    });
    environments.set('session', {
      ...(await database()),
      ...identity,
      SPANWISE_NATS_URL: natsServerUrl ?? '',
      SPANWISE_AUTH: 'jwt',
      SPANWISE_JWKS_URL: `${url(Number(identityPort))}/jwks.json`,
      SPANWISE_PAGE_TOKEN_KEY: 'k',
      SPANWISE_RUNTIME_URL: url(runtime),
      SPANWISE_TOOL_HOST_URL: url(toolHost),
      SPANWISE_FILESYSTEM_URL: url(filesystem),
    });
    for (const [service, port] of [
      ['tool-host', toolHost],
      ['agent-runtime', runtime],
      ['filesystem', filesystem],
      ['session', session],
    ] as const) {
      await start(service, port ?? 0);
    }
  }, 60_000);
  afterAll(async () => {
    await resources.disposeAsync();
    rmSync(folder, { recursive: true });
  }, 60_000);

  test('serve, but are not healthy before their schema is migrated', async () => {
    await containers.get('agent-runtime')?.healthy();
    for (const service of ['filesystem', 'tool-host', 'session'] as const) {
      const health = () => containers.get(service)?.health();
      await expect
        .poll(health, { timeout: 30_000 })
        .toMatchObject({ isHealthy: false, said: expect.stringMatching(/^not serving/) });
    }
  }, 60_000);

  test('migrate once', async () => {
    for (const service of ['session', 'tool-host', 'filesystem'] as const) {
      const migrate = () => runJob(service, folderOf(service), ['migrate'], environments.get(service) ?? {});
      expect(migrate()).toMatch(/^Migrated: 0001-/);
      expect(migrate()).toBe('The schema is up to date.\n');
    }
    await Promise.all([...containers.values()].map((container) => container.healthy()));
  }, 60_000);

  test('let nobody in without a token', async () => {
    await expect(clientOf('').createSession()).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    await expect(clientOf(`${tokenOf('alice')}x`).createSession()).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });

  test('run an agent for the user of the token, and export its trace', async () => {
    const client = clientOf(tokenOf('alice'));
    const session = await client.createSession();
    expect(session.uid).toBe('alice');
    const followed = follow(client, session.id, demoTask);
    await followed.done;
    expect(followed.events.at(-1)?.data).toMatchObject({ case: 'runEnd', value: { outcome: 1 } });
    const { span } = await followed.run;
    const exported = () => collector.spans.filter(({ traceId }) => traceId === span?.traceId);
    await expect.poll(() => exported().some(({ spanId }) => spanId === span?.span?.id), { timeout: 5000 }).toBe(true);
    expect([...new Set(exported().map(({ service }) => service))].sort()).toEqual([...services].sort());
  }, 60_000);

  test('end with exit code 0 on SIGTERM', async () => {
    const codes = await Promise.all([...containers.values()].map((container) => container.stop()));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect([...containers.values()].map((container) => container.health().isHealthy)).toEqual(Array(4).fill(false));
  }, 60_000);
});
