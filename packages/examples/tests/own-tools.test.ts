import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import {
  type ModelMessage,
  type ModelReply,
  type ModelRequest,
  type ScriptedModel,
  startScriptedModel,
} from '@spanwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const exampleFile = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-own-tools-'));
const resources = new AsyncDisposableStack();
let model: ScriptedModel;
let stack: EmbeddedStack;
let client: SpanwiseClient;
let port: number;
let provider: ChildProcess;

// The provider is away when the stack starts.
beforeAll(async () => {
  port = await freePort();
  model = resources.use(await startScriptedModel(obedientModel));
  const env = {
    SPANWISE_MODEL_BASE_URL: model.baseUrl,
    OPENAI_API_KEY: 'none',
    SPANWISE_LOG_LEVEL: 'error',
    SPANWISE_TOOLS: exampleFile('own-tool'),
    SPANWISE_TOOL_PROVIDERS: `billing=http://127.0.0.1:${port}`,
  };
  stack = resources.use(await startEmbeddedStack({ dataDir, env }));
  client = new SpanwiseClient({ baseUrl: stack.urls.session, uid: 'alice' });
});
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a tool in the process of tool-host counts weekdays for the model', async () => {
  const { result, answer } = await run('call weekdays {"from":"2026-11-20","to":"2026-12-01"}');
  expect(result).toMatchObject({ outcome: ToolOutcome.OK, structuredJson: '{"days":7}' });
  expect(answer).toBe('The tool said: 7 weekdays');
});

test('the tools of a provider are there once its process is', async () => {
  expect(await listed()).toEqual(['weekdays of own']);
  await startProvider();
  await expect
    .poll(listed, { timeout: 15_000 })
    .toEqual(['billing__order_status of billing', 'billing__refund of billing', 'weekdays of own']);
  // agent-runtime looks at the list every five seconds.
  const outcome = async () => (await run('call billing__order_status {"order":"A-1"}')).result?.outcome;
  await expect.poll(outcome, { timeout: 10_000, interval: 500 }).toBe(ToolOutcome.OK);
}, 30_000);

test('a tool of a provider answers the model over the wire, with its failures', async () => {
  expect(await run('call billing__order_status {"order":"A-1"}')).toMatchObject({
    result: { outcome: ToolOutcome.OK, structuredJson: '{"cents":4200,"refunds":[]}' },
    answer: 'The tool said: A-1: 4200 cents, 0 refunds',
  });
  expect(await run('call billing__order_status {"order":"B-2"}')).toMatchObject({
    result: { outcome: ToolOutcome.ERROR, code: 'ORDER_NOT_FOUND' },
    answer: 'The tool said: There is no order B-2. Ask for its number.',
  });
  expect(await run('call billing__order_status {"number":"A-1"}')).toMatchObject({
    result: { outcome: ToolOutcome.ERROR, code: 'INVALID_FIELD' },
  });
});

test('a refund whose provider is killed in the middle is unknown, and not repeated by the next one', async () => {
  const killed = await run('call billing__refund {"order":"A-1"}', () => {
    provider.kill('SIGKILL');
  });
  expect(killed.result).toMatchObject({ outcome: ToolOutcome.UNKNOWN, code: 'TOOL_UNAVAILABLE' });
  expect(await run('call billing__refund {"order":"A-1"}')).toMatchObject({
    result: { outcome: ToolOutcome.ERROR, code: 'TOOL_UNAVAILABLE' },
  });
  await startProvider();
  expect(await run('call billing__order_status {"order":"A-1"}')).toMatchObject({
    answer: 'The tool said: A-1: 4200 cents, 0 refunds',
  });
  expect(await run('call billing__refund {"order":"A-1"}')).toMatchObject({
    result: { outcome: ToolOutcome.OK },
    answer: 'The tool said: 4200 cents were paid back.',
  });
  expect((await run('call billing__order_status {"order":"A-1"}')).answer).toContain('1 refunds');
}, 30_000);

test('SIGTERM lets a provider finish what goes on', async () => {
  const exited = once(provider, 'exit');
  const { result } = await run('call billing__refund {"order":"A-1"}', () => {
    provider.kill('SIGTERM');
  });
  expect(result).toMatchObject({ outcome: ToolOutcome.OK });
  expect(await exited).toEqual([0, null]);
  expect(model.violations).toEqual([]);
}, 30_000);

/** Calls the tool that the last user message names, then tells what the tool said. */
function obedientModel({ messages }: ModelRequest): ModelReply {
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
  const results = turn.filter(({ role }) => role === 'tool').map(textOf);
  const [, tool = '', input = ''] = /^call (\S+) (.*)$/s.exec(textOf(turn[0])) ?? [];
  return results.length === 0 ? { toolCalls: [{ tool, input }] } : { text: `The tool said: ${results.join('; ')}` };
}

function textOf(message: ModelMessage | undefined): string {
  return typeof message?.content === 'string' ? message.content : '';
}

/** Runs one message to its end. `onProgress` is called once, when the tool has told how far it is. */
async function run(input: string, onProgress: () => void = () => undefined) {
  const session = await client.createSession();
  const events: AgentEvent[] = [];
  for await (const event of client.run({ sessionId: session.id, input })) {
    if (event.data.case === 'toolProgress' && !events.some(({ data }) => data.case === 'toolProgress')) {
      onProgress();
    }
    events.push(event);
  }
  const results = events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value] : []));
  expect(results).toHaveLength(1);
  const texts = events.flatMap(({ data }) => (data.case === 'textDelta' ? [data.value.text] : []));
  return { result: results[0], answer: texts.join('') };
}

/** Tools that are not built in, by name. */
async function listed(): Promise<readonly string[]> {
  const toolHost = createClient(ToolHostService, createGrpcTransport({ baseUrl: stack.urls['tool-host'] }));
  const { tools } = await toolHost.listTools({}, { headers: { uid: 'alice' } });
  return tools.filter(({ source }) => source !== 'builtin').map(({ name, source }) => `${name} of ${source}`);
}

async function startProvider(): Promise<void> {
  const env = { ...process.env, SPANWISE_PORT: String(port), SPANWISE_LOG_LEVEL: 'error' };
  const started = spawn(process.execPath, [exampleFile('tool-provider')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  provider = started;
  resources.defer(() => void started.kill('SIGKILL'));
  await once(started.stdout, 'data');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}
