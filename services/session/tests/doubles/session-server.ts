import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Client, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { type Run, SessionService } from '@spanwise/contracts/spanwise/session/v1/session';
import { InProcessCancelBus } from '@spanwise/messaging';
import { createInternalTransport, errorInfoOf } from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { createSessionService } from '../../src/composition-root.ts';
import { readSessionConfig } from '../../src/config.ts';
import { type FenceServer, startFenceServer } from './fence-server.ts';
import { type PlayedRun, type RuntimeServer, startRuntimeServer } from './runtime-server.ts';

export type SessionClient = Client<typeof SessionService>;

/** The real service over gRPC on a SQLite file, with a runtime that the test plays. */
export interface SessionServer extends AsyncDisposable {
  readonly url: string;
  readonly runtime: RuntimeServer;
  readonly fences: FenceServer;
  readonly alice: SessionClient;
  readonly bob: SessionClient;
  /** The transport of Alice's client: one connection. */
  readonly transport: Transport;
  readonly bus: InProcessCancelBus;
  /** Another process's look at the database. */
  sql(statement: string, ...parameters: readonly string[]): readonly Record<string, unknown>[];
  newSession(): Promise<string>;
  /** Disposes the service, and then looks at what it left. */
  stopService<Left>(look: () => Left): Promise<Left>;
}

export async function startSessionServer(script: (run: PlayedRun) => Promise<void>): Promise<SessionServer> {
  await using resources = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'spanwise-session-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const runtime = resources.use(await startRuntimeServer(script));
  const fences = resources.use(await startFenceServer());
  const bus = resources.use(new InProcessCancelBus());
  const config = readSessionConfig({
    SPANWISE_DATABASE_URL: `sqlite:${folder}/session.db`,
    SPANWISE_PORT: '0',
    SPANWISE_RUNTIME_URL: runtime.url,
    SPANWISE_TOOL_HOST_URL: fences.url,
    SPANWISE_FILESYSTEM_URL: fences.url,
    SPANWISE_TAKE_OVER_MS: '100',
    SPANWISE_CANCEL_POLL_MS: '50',
    SPANWISE_LOG_POLL_MS: '20',
  });
  const telemetry = new Telemetry({ service: 'session', env: {} });
  const service = resources.use(
    await createSessionService(config, { cancelBus: bus, telemetry, logger: silentLogger }),
  );
  const database = new DatabaseSync(`${folder}/session.db`, { timeout: 5000 });
  resources.defer(() => database.close());
  const { url } = service.server;
  const transport = transportOf(url, 'alice', resources);
  const alice = createClient(SessionService, transport);
  const bob = createClient(SessionService, transportOf(url, 'bob', resources));
  const owned = resources.move();
  return {
    url,
    runtime,
    fences,
    bus,
    alice,
    transport,
    bob,
    sql: (statement, ...parameters) => database.prepare(statement).all(...parameters),
    async newSession() {
      return (await alice.createSession({})).session?.id ?? '';
    },
    async stopService(look) {
      await service[Symbol.asyncDispose]();
      return look();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A connection of its own, over which one user calls. */
function transportOf(baseUrl: string, uid: string, resources: AsyncDisposableStack): Transport {
  const telemetry = new Telemetry({ service: 'test', env: {} });
  const transport = resources.use(createInternalTransport({ baseUrl, telemetry }));
  const identified = (init: ConstructorParameters<typeof Headers>[0]) => {
    const header = new Headers(init);
    header.set('uid', uid);
    header.set('email', `${uid}@example.org`);
    header.set('token', `token of ${uid}`);
    return header;
  };
  return {
    unary: (method, signal, timeoutMs, header, ...rest) =>
      transport.unary(method, signal, timeoutMs, identified(header), ...rest),
    stream: (method, signal, timeoutMs, header, ...rest) =>
      transport.stream(method, signal, timeoutMs, identified(header), ...rest),
  };
}

export const input = (text = 'hello') => [{ parts: [{ part: { case: 'text' as const, value: text } }] }];

/** What a caller learns of a failure. */
export function failureOf(error: unknown) {
  const connectError = ConnectError.from(error);
  const { reason, metadata } = errorInfoOf(connectError) ?? {};
  return { code: connectError.code, reason, metadata, message: connectError.rawMessage };
}

/** The failure of a call that must not succeed. */
export async function failing(call: Promise<unknown>): Promise<ReturnType<typeof failureOf>> {
  const answer = await call.then(
    () => undefined,
    (error: unknown) => failureOf(error),
  );
  return answer ?? { code: 0 as never, reason: 'OK', metadata: {}, message: 'It did not fail.' };
}

/** A RunSession stream, read to its end. */
export async function readRun(stream: AsyncIterable<{ readonly run?: Run; readonly events: readonly AgentEvent[] }>) {
  const messages = await Array.fromAsync(stream);
  return { run: messages[0]?.run, messages, events: messages.flatMap(({ events }) => events) };
}

export const casesOf = (events: readonly AgentEvent[]) => events.map(({ data }) => data.case);
