import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { SpanwiseClient } from '@spanwise/client';
import { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
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

/** A tool of an operator, which an image is given. */
const ownTool = `
import { DomainError, defineTool } from '@spanwise/tool-kit';
import { z } from 'zod';
export default defineTool({
  name: 'double',
  description: 'Doubles a number.',
  effect: 'READ_ONLY',
  input: z.strictObject({ n: z.int() }),
  async execute({ n }) {
    if (n === 0) throw new DomainError('invalid', 'NOTHING', 'There is nothing to double.');
    return { text: String(2 * n) };
  },
});
`;
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
    mkdirSync(join(folderOf('tool-host'), 'tools'));
    writeFileSync(join(folderOf('tool-host'), 'tools/own.mjs'), ownTool);
    environments.set('tool-host', {
      ...(await database()),
      SPANWISE_FILESYSTEM_URL: url(filesystem),
      SPANWISE_TOOLS: './tools/own.mjs',
    });
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

  test('take tools that lie beside the bundle, which lends them the kit and zod', async () => {
    const toolHost = createClient(
      ToolHostService,
      createGrpcTransport({ baseUrl: containers.get('tool-host')?.url ?? '' }),
    );
    const headers = { uid: 'alice' };
    const { tools } = await toolHost.listTools({}, { headers });
    expect(tools.filter(({ source }) => source === 'own').map(({ name }) => name)).toEqual(['double']);
    const ids = { sessionId: randomUUID(), runId: randomUUID(), callId: randomUUID(), epoch: 1n };
    const span = { span: { id: 'a'.repeat(16), par: '' }, traceId: '1'.repeat(32), traceFlags: 0 };
    const answers: unknown[] = [];
    for (const argumentsJson of ['{"n":21}', '{"n":0}']) {
      for await (const { result } of toolHost.executeTool(
        { ...ids, tool: 'double', argumentsJson, span },
        { headers },
      )) {
        answers.push(...(result === undefined ? [] : [[result.code, result.content[0]?.content.value]]));
      }
    }
    // What the tool throws is of another copy of its class than that of the bundle.
    expect(answers).toEqual([
      ['', '42'],
      ['NOTHING', 'There is nothing to double.'],
    ]);
  });

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
