import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '@spanwise/contracts/grpc/health/v1/health';
import { type AgentEvent, SpanKind, SpanStatus } from '@spanwise/contracts/spanwise/event/v1/event';
import {
  ExecuteToolRequestSchema,
  ToolClass,
  ToolEffect,
  ToolHostService,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import { ToolOutcome, type ToolResultPart } from '@spanwise/contracts/spanwise/type/v1/message';
import { silentLogger } from '@spanwise/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createToolHostService, type ToolHostRunningService } from '../src/composition-root.ts';
import { FileSystemServer } from './file-system-server.ts';
import { testConfig } from './test-config.ts';

let fileSystem: FileSystemServer;
let toolHost: ToolHostRunningService;
let transport: Transport;
let client: Client<typeof ToolHostService>;

beforeEach(async () => {
  fileSystem = await new FileSystemServer().start();
  await startToolHost(fileSystem.url);
});

afterEach(async () => {
  await toolHost[Symbol.asyncDispose]();
  await fileSystem[Symbol.asyncDispose]();
});

async function startToolHost(filesystemUrl: string): Promise<void> {
  toolHost = await createToolHostService(testConfig({ filesystemUrl }), { logger: silentLogger });
  transport = createGrpcTransport({ baseUrl: toolHost.url });
  client = createClient(ToolHostService, transport);
}

const headers = { uid: 'ann', email: 'ann@example.com', token: 'secret-of-ann' };
const turn = { id: 'aaaaaaaaaaaaaaaa', par: 'bbbbbbbbbbbbbbbb' };
const traceId = '1'.repeat(32);
const statusNames = ['', 'ok', 'error', 'cancelled', 'abandoned'];
let callId: string;

function request(tool: string, input: unknown): MessageInitShape<typeof ExecuteToolRequestSchema> {
  callId = randomUUID();
  return create(ExecuteToolRequestSchema, {
    sessionId: '01920000-0000-7000-8000-000000000001',
    runId: '01920000-0000-7000-8000-000000000002',
    epoch: 1n,
    callId,
    tool,
    argumentsJson: typeof input === 'string' ? input : JSON.stringify(input),
    span: { span: turn, traceId, traceFlags: 0 },
  });
}

async function execute(tool: string, input: unknown): Promise<{ events: AgentEvent[]; result: ToolResultPart }> {
  const events: AgentEvent[] = [];
  let result: ToolResultPart | undefined;
  for await (const message of client.executeTool(request(tool, input), { headers })) {
    expect(result).toBeUndefined();
    events.push(...message.events);
    ({ result } = message);
  }
  if (result === undefined) {
    throw new TypeError('the stream ended without a result');
  }
  return { events, result };
}

function textOf(result: ToolResultPart): string {
  return result.content.map(({ content }) => (content.case === 'text' ? content.value : '')).join('');
}

/** Each event in a line: what happened to which span, and its parent. */
function outline(events: readonly AgentEvent[]): string[] {
  const names = new Map<string, string>([[turn.id, 'turn']]);
  for (const { span, data } of events) {
    if (data.case === 'spanStart') {
      names.set(span?.id ?? '', data.value.name);
    }
  }
  return events.map(({ span, data }) => {
    const name = `${names.get(span?.par ?? '')} > ${names.get(span?.id ?? '')}`;
    return data.case === 'spanEnd' ? `${name}: ${statusNames[data.value.status]} ${data.value.errorType}`.trim() : name;
  });
}

test('lists the tools by name, with schemas and effects', async () => {
  const { tools } = await client.listTools({}, { headers });
  expect(tools.map(({ name, effect, toolClass }) => [name, effect, toolClass])).toEqual([
    ['apply_patch', ToolEffect.IDEMPOTENT, ToolClass.FILES],
    ['ask_user', ToolEffect.IDEMPOTENT, ToolClass.INTERACTION],
    ['delete', ToolEffect.IDEMPOTENT, ToolClass.FILES],
    ['edit', ToolEffect.IDEMPOTENT, ToolClass.FILES],
    ['glob', ToolEffect.READ_ONLY, ToolClass.SEARCH],
    ['grep', ToolEffect.READ_ONLY, ToolClass.SEARCH],
    ['ls', ToolEffect.READ_ONLY, ToolClass.FILES],
    ['mkdir', ToolEffect.IDEMPOTENT, ToolClass.FILES],
    ['move', ToolEffect.IDEMPOTENT, ToolClass.FILES],
    ['read', ToolEffect.READ_ONLY, ToolClass.FILES],
    ['todo', ToolEffect.IDEMPOTENT, ToolClass.OWN],
    ['web_fetch', ToolEffect.READ_ONLY, ToolClass.WEB],
    ['write', ToolEffect.IDEMPOTENT, ToolClass.FILES],
  ]);
  for (const { title, description, version, inputSchemaJson } of tools) {
    expect([title, description, version]).not.toContain('');
    expect(JSON.parse(inputSchemaJson)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      additionalProperties: false,
    });
  }
});

test('executes a call and tells its spans as the run has to log them', async () => {
  fileSystem.memory.put('/workspace/a.txt', 'hello');
  const { events, result } = await execute('read', { path: 'a.txt', offset: null });
  expect(result).toMatchObject({ callId, outcome: ToolOutcome.OK, structuredJson: '' });
  expect(textOf(result)).toBe('1\thello');
  expect(outline(events)).toEqual([
    'turn > execute_tool read',
    'execute_tool read > read file',
    'execute_tool read > read file: ok',
    'turn > execute_tool read: ok',
  ]);
  expect(events.map((event) => event.data.value)).toMatchObject([
    {
      kind: SpanKind.TOOL,
      traceId,
      service: 'tool-host',
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'read',
        'gen_ai.tool.call.id': callId,
      },
    },
    { kind: SpanKind.FILE, traceId, service: 'tool-host', attributes: { 'file.path': '/workspace/a.txt' } },
    { status: SpanStatus.OK },
    { status: SpanStatus.OK },
  ]);
  expect(events.every(({ time, seq, runId }) => time !== undefined && seq === 0n && runId === '')).toBe(true);
});

test('opens the view when it is not there yet, and calls for the user under the span of the file operation', async () => {
  fileSystem.memory.put('/workspace/a.txt', 'hello');
  const { events } = await execute('read', { path: 'a.txt' });
  const fileSpan = events[1]?.span;
  const rpc = { ...headers, spanId: fileSpan?.id };
  const received = fileSystem.received.filter((each) => each.rpc !== 'Check');
  expect(received).toEqual([
    { rpc: 'Read', ...rpc },
    { rpc: 'OpenView', ...rpc },
    { rpc: 'Read', ...rpc },
  ]);
  expect(events[0]?.span?.par).toBe(turn.id);
});

test('works on files over the wire with every tool', async () => {
  const texts: string[] = [];
  for (const [tool, input] of [
    ['write', { path: 'src/a.ts', content: 'let a = 1;\nlet b = 2;\n' }],
    ['edit', { path: 'src/a.ts', old_text: 'a = 1', new_text: 'a = $&' }],
    ['read', { path: 'src/a.ts' }],
    ['write', { path: 'src/a.ts', content: 'let c;\n' }],
    ['ls', {}],
    ['glob', { pattern: '**/*.ts' }],
    ['grep', { pattern: 'let (.)' }],
    ['grep', { pattern: 'let', mode: 'files' }],
  ] as const) {
    const { result, events } = await execute(tool, input);
    texts.push(textOf(result));
    expect(outline(events).at(-1)).toBe(`turn > execute_tool ${tool}: ok`);
  }
  expect(texts).toEqual([
    'Created /workspace/src/a.ts: 22 bytes.',
    'Replaced 1 match in /workspace/src/a.ts.',
    '1\tlet a = $&;\n2\tlet b = 2;',
    'Overwrote /workspace/src/a.ts: 7 bytes.',
    'src/',
    '/workspace/src/a.ts',
    '/workspace/src/a.ts\n1: let c;',
    '/workspace/src/a.ts',
  ]);
});

test('ends the search on the server as soon as enough was found', async () => {
  for (let index = 0; index < 60; index += 1) {
    fileSystem.memory.put(`/workspace/${String(index).padStart(2, '0')}`, 'x');
  }
  fileSystem.memory.stall('/workspace/55');
  const { result } = await execute('grep', { pattern: 'x', mode: 'files' });
  expect(textOf(result)).toContain('/workspace/49\n[There are more hits:');
  await expect(fileSystem.memory.aborted.promise).resolves.toBe('/workspace/55');
});

test.each([
  ['an unknown tool', 'reed', {}, 'There is no tool "reed".', 'error TOOL_NOT_FOUND'],
  ['bad arguments', 'read', { file: 'a' }, '- path (position 0): it is missing', 'error INVALID_FIELD'],
  ['no JSON', 'read', '{"path": "a', 'cut off at position 11', 'error INVALID_FIELD'],
  ['a missing file', 'read', { path: 'a' }, 'There is nothing at /workspace/a.', 'error FILE_NOT_FOUND'],
  ['a read-only mount', 'write', { path: '/inputs/a', content: '' }, '/inputs is read-only', 'error MOUNT_READ_ONLY'],
])('answers %s with a result, not with a failed RPC', async (_, tool, input, text, end) => {
  const { events, result } = await execute(tool, input);
  expect(result.outcome).toBe(ToolOutcome.ERROR);
  expect(textOf(result)).toContain(text);
  expect(outline(events).at(-1)).toBe(`turn > execute_tool ${tool}: ${end}`);
});

test('says that files may be tried again while the file service is down, and works when it is back', async () => {
  const port = Number(new URL(fileSystem.url).port);
  await fileSystem[Symbol.asyncDispose]();
  const { events, result } = await execute('read', { path: 'a.txt' });
  expect(result.outcome).toBe(ToolOutcome.ERROR);
  expect(textOf(result)).toMatch(/^The files could not be reached\..* may be tried again/);
  expect(outline(events)).toEqual([
    'turn > execute_tool read',
    'execute_tool read > read file',
    'execute_tool read > read file: error DISK_UNAVAILABLE',
    'turn > execute_tool read: error DISK_UNAVAILABLE',
  ]);
  fileSystem = new FileSystemServer();
  fileSystem.memory.put('/workspace/a.txt', 'back');
  await fileSystem.start(port);
  expect(textOf((await execute('read', { path: 'a.txt' })).result)).toBe('1\tback');
});

test('is not ready while the file service is down', async () => {
  const health = createClient(Health, transport);
  expect((await health.check({})).status).toBe(ServingStatus.SERVING);
  await toolHost[Symbol.asyncDispose]();
  await fileSystem[Symbol.asyncDispose]();
  await startToolHost(fileSystem.url);
  expect((await createClient(Health, transport).check({})).status).toBe(ServingStatus.NOT_SERVING);
});

test('stops the tool and what it waits for when the RPC is cancelled', async () => {
  await execute('ls', {});
  fileSystem.memory.stall('/workspace/slow');
  const caller = new AbortController();
  const events: AgentEvent[] = [];
  const following = (async () => {
    for await (const message of client.executeTool(request('read', { path: 'slow' }), {
      headers,
      signal: caller.signal,
    })) {
      events.push(...message.events);
      if (events.length === 2) {
        caller.abort();
      }
    }
  })();
  await expect(following).rejects.toMatchObject({ code: Code.Canceled });
  expect(outline(events)).toEqual(['turn > execute_tool read', 'execute_tool read > read file']);
  await expect(fileSystem.memory.aborted.promise).resolves.toBe('/workspace/slow');
});

test('answers a timeout just before the deadline of the caller', async () => {
  await execute('ls', {});
  fileSystem.memory.stall('/workspace/slow');
  const messages = client.executeTool(request('read', { path: 'slow' }), { headers, timeoutMs: 1000 });
  const events: AgentEvent[] = [];
  let outcome: ToolOutcome | undefined;
  for await (const message of messages) {
    events.push(...message.events);
    outcome = message.result?.outcome;
  }
  expect(outcome).toBe(ToolOutcome.TIMEOUT);
  expect(outline(events).slice(-2)).toEqual([
    'execute_tool read > read file: cancelled',
    'turn > execute_tool read: error DEADLINE_EXCEEDED',
  ]);
});

test.each([
  ['nobody', {}, {}, Code.Unauthenticated],
  ['a run that is no id', headers, { runId: "' OR 1=1--" }, Code.InvalidArgument],
  ['no span', headers, { span: undefined }, Code.InvalidArgument],
  ['arguments over 1 MiB', headers, { argumentsJson: 'x'.repeat(1024 * 1024 + 1) }, Code.InvalidArgument],
])('refuses a call of %s', async (_, sent, facts, code) => {
  const call = { ...request('read', { path: 'a' }), ...facts };
  const drain = async () => {
    for await (const message of client.executeTool(call, { headers: sent })) {
      expect(message).toBeUndefined();
    }
  };
  const error = await drain().catch((failure: unknown) => ConnectError.from(failure));
  expect(error).toMatchObject({ code });
  expect(fileSystem.received).toEqual([]);
});
