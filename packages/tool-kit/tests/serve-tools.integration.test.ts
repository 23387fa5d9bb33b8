import { randomUUID } from 'node:crypto';
import { type CallOptions, type Client, createClient, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '@spanwise/contracts/grpc/health/v1/health';
import { ToolProviderService } from '@spanwise/contracts/spanwise/tool/v1/provider';
import { toDomainError } from '@spanwise/service-kit';
import { silentLogger } from '@spanwise/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineProviderTool, type ProviderTool, type ProviderToolContext } from '../src/index.ts';
import { type RunningProvider, serveTools } from '../src/serve/serve-tools.ts';

let provider: RunningProvider;
let transport: Transport;
let client: Client<typeof ToolProviderService>;
let release: PromiseWithResolvers<void>;
let contexts: ProviderToolContext[];

const tools = [
  tool('echo', async (text) => ({ text })),
  tool('slow', async (text, { progress, output, signal }) => {
    progress({ done: 1 });
    progress({ done: 2, total: 3, message: 'two' });
    output('a');
    output('b');
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    await Promise.race([release.promise, aborted]);
    return { text, keeps: 'ends', notice: 'noted' };
  }),
  tool('approve', async () => ({ suspend: { kind: 'approval', message: '', schema: {} } })),
  tool('huge', async () => ({ text: 'x'.repeat(16 * 1024 * 1024) })),
];

function tool(
  name: string,
  execute: (text: string, context: ProviderToolContext) => ReturnType<ProviderTool['execute']>,
) {
  return defineProviderTool({
    ...{ name, description: `Does ${name}.`, effect: 'READ_ONLY' },
    limits: { timeoutMs: 60_000 },
    input: z.strictObject({ text: z.string().default('hi') }),
    execute: ({ text }, context) => {
      contexts.push(context);
      return execute(text, context);
    },
  });
}

beforeEach(async () => {
  release = Promise.withResolvers();
  contexts = [];
  provider = await serveTools({ tools, port: 0, stopsOnSignals: false, logger: silentLogger, env: {} });
  transport = createGrpcTransport({ baseUrl: provider.url, readMaxBytes: 32 * 1024 * 1024 });
  client = createClient(ToolProviderService, transport);
});
afterEach(() => provider[Symbol.asyncDispose]());

const headers = { uid: 'ann' };

function request(name: string, facts: object = {}) {
  const ids = { sessionId: randomUUID(), runId: randomUUID(), callId: randomUUID(), uid: 'ann', idempotencyKey: 'k' };
  return { ...ids, tool: name, version: '1', argumentsJson: '{}', ...facts };
}

/** What a call is answered, message by message. */
async function call(name: string, facts: object = {}, options: CallOptions = { headers }) {
  const told: unknown[] = [];
  for await (const { message } of client.callTool(request(name, facts), options)) {
    const { case: kind = '', value } = message;
    told.push({ [kind]: typeof value === 'object' ? withoutType(value) : value });
  }
  return told;
}

function withoutType(message: object) {
  return Object.fromEntries(Object.entries(message).filter(([key]) => key !== '$typeName'));
}

const result = { text: '', structuredJson: '', isError: false, code: '', notice: '', keepsEnds: false };

test('tells that a tool is begun, then how it ended', async () => {
  expect(await call('echo')).toEqual([{ started: {} }, { result: { ...result, text: 'hi' } }]);
  expect(await call('echo', { argumentsJson: '{"text":"ho"}' })).toContainEqual({ result: { ...result, text: 'ho' } });
});

test('gives a slow reader the latest progress and all of the output', async () => {
  setTimeout(() => release.resolve(), 50);
  const whole = { ...result, text: 'hi', notice: 'noted', keepsEnds: true };
  expect(await call('slow')).toEqual([
    { started: {} },
    { progress: { done: 2, total: 3, message: 'two' } },
    { output: 'ab' },
    { result: whole },
  ]);
});

test.each([
  ['another version', 'echo', { version: '2' }, 'TOOL_CHANGED'],
  ['a tool that is not there', 'other', {}, 'TOOL_NOT_FOUND'],
  ['another user than the header names', 'echo', { uid: 'bob' }, 'IDENTITY_MISMATCH'],
  ['arguments that do not fit', 'echo', { argumentsJson: '{"text":1}' }, 'INVALID_FIELD'],
  ['arguments that are no JSON', 'echo', { argumentsJson: '{"text"' }, 'INVALID_FIELD'],
  ['an id that is none', 'echo', { runId: 'x' }, 'INVALID_FIELD'],
])('refuses %s before anything is begun', async (_, name, facts, reason) => {
  const refused: unknown = await call(name, facts).catch(toDomainError);
  expect(refused).toMatchObject({ reason });
  expect(contexts).toEqual([]);
});

test('lets nobody call who does not say for whom, but lists for everybody', async () => {
  expect(await call('echo', {}, {}).catch(toDomainError)).toMatchObject({ reason: 'UNAUTHENTICATED' });
  const { tools: listed } = await client.listTools({});
  expect(listed.map(({ name }) => name)).toEqual(['echo', 'slow', 'approve', 'huge']);
  expect(listed[0]?.limits).toMatchObject({ timeout: { seconds: 60n }, outputLines: 2000, outputBytes: 51_200 });
});

test('takes for a bug what asks for more than an answer, and shortens what no message holds', async () => {
  expect(await call('approve').catch(toDomainError)).toMatchObject({ kind: 'internal', reason: 'INTERNAL' });
  expect(await call('huge')).toMatchObject([{ started: {} }, { result: { isError: true, code: 'TOOL_FAILED' } }]);
});

test('has the signal of a tool follow the caller, and the deadline that it has set', async () => {
  await call('slow', {}, { headers, timeoutMs: 300 }).catch(() => undefined);
  const [context] = contexts;
  expect((context?.deadlineMs ?? 0) - Date.now()).toBeLessThan(300);
  await expect.poll(() => context?.signal.aborted, { timeout: 2000 }).toBe(true);
});

test('finishes what goes on when it stops, and begins nothing more', async () => {
  const health = createClient(Health, transport);
  expect((await health.check({ service: ToolProviderService.typeName })).status).toBe(ServingStatus.SERVING);
  const going = call('slow');
  await expect.poll(() => contexts.length).toBe(1);
  const stopped = provider.stop();
  expect(await call('echo').catch(toDomainError)).toMatchObject({ kind: 'unavailable', reason: 'SHUTTING_DOWN' });
  expect((await health.check({})).status).toBe(ServingStatus.NOT_SERVING);
  release.resolve();
  expect((await going).at(-1)).toMatchObject({ result: { text: 'hi' } });
  await stopped;
});

test('ends calls that do not end within the drain', async () => {
  const brief = await serveTools({
    ...{ tools, port: 0, stopsOnSignals: false, logger: silentLogger, env: {} },
    drainMs: 100,
  });
  client = createClient(ToolProviderService, createGrpcTransport({ baseUrl: brief.url }));
  const going = call('slow').catch(toDomainError);
  await expect.poll(() => contexts.length).toBe(1);
  await brief.stop();
  expect(await going).toMatchObject({ kind: 'unavailable' });
  expect(contexts[0]?.signal.aborted).toBe(true);
});

test.each([
  ['two tools of one name', [tools[0], tools[0]], 'two are called echo'],
  ['a name that models refuse', [{ ...tools[0], name: 'a b' }], '"a b" is no name'],
  ['a tool of the host', [{ ...tools[0], runsApart: false }], 'echo was not made with defineProviderTool'],
  ['a tool with targets', [{ ...tools[0], targets: () => [] }], 'echo was not made with defineProviderTool'],
])('does not start with %s', async (_, unfit, why) => {
  const options = { port: 0, stopsOnSignals: false, logger: silentLogger, env: {} };
  await expect(serveTools({ ...options, tools: unfit as unknown as ProviderTool[] })).rejects.toThrow(why);
});
