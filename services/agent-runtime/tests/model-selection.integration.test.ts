import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message } from '@spanwise/contracts/spanwise/type/v1/message';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAgentRuntimeService } from '../src/composition-root.ts';
import { readAgentRuntimeConfig, shippedAgentsDir } from '../src/config.ts';
import { type ModelReply, type ModelServer, startModelServer } from './doubles/model-server.ts';
import { startPeerServices } from './doubles/peer-services.ts';
import { answer, asking } from './doubles/service-world.ts';
import { runtimeClient, TestDriver } from './doubles/test-driver.ts';

const events = (...data: readonly object[]): ModelReply => ({
  body: data.map((event) => `data: ${JSON.stringify(event)}\n\n`),
});
const argumentsJson = '{"path":"/library/a"}';
const chat = [asking({ name: 'read', arguments: argumentsJson }), answer];

const completed = {
  type: 'response.completed',
  response: { status: 'completed', usage: { input_tokens: 100, output_tokens: 20 } },
};
const responseCall = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'read', arguments: argumentsJson };
const responses = [
  events({ type: 'response.output_item.done', output_index: 0, item: responseCall }, completed),
  events(
    { type: 'response.output_text.delta', item_id: 'm', delta: 'Hel' },
    { type: 'response.output_text.delta', item_id: 'm', delta: 'lo.' },
    completed,
  ),
];

const usageMetadata = { promptTokenCount: 100, candidatesTokenCount: 20 };
const said = (parts: readonly object[], finishReason?: string) => ({
  candidates: [{ content: { role: 'model', parts }, finishReason }],
  usageMetadata,
});
const gemini = [
  events(said([{ functionCall: { name: 'read', args: { path: '/library/a' } } }], 'STOP')),
  events(said([{ text: 'Hel' }]), said([{ text: 'lo.' }], 'STOP')),
];

/** The one line in which the agents differ, and what their models answer. */
const agents: readonly (readonly [model: string, replies: readonly ModelReply[]])[] = [
  ['gpt-5-mini', chat],
  ['openai-chat:gpt-5-mini', chat],
  ['local:qwen3', chat],
  ['openai-responses:gpt-5-mini', responses],
  ['google:gemini-2.5-flash', gemini],
  ['ai-sdk:small', chat],
];

/** What is the same of a run on whatever model. */
function storyOf(driver: TestDriver) {
  const withoutIds = ({ role, parts }: Message) => ({
    role,
    parts: parts.map(({ part }) => {
      if (part.case === 'text') {
        return part.value.text;
      }
      return part.case === 'toolCall' ? [part.value.tool, part.value.argumentsJson] : part.case;
    }),
  });
  return { events: driver.events.map(({ data }) => data.case), rows: driver.rows.map(withoutIds) };
}

describe('the same agent', () => {
  let folder: string;
  const recordings = () => join(folder, 'recordings');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spanwise-models-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Runs the shipped agent with another model, of which the first answer asks for a call. */
  async function run(model: string, server: ModelServer, more: Readonly<Record<string, string>> = {}) {
    await using resources = new AsyncDisposableStack();
    const shipped = await readFile(join(shippedAgentsDir, 'default.yaml'), 'utf8');
    const agent = shipped.replace('model: gpt-5-mini', `model: ${model}`);
    const agentsDir = await mkdtemp(join(folder, 'agents-'));
    await cp(shippedAgentsDir, agentsDir, { recursive: true });
    await writeFile(join(agentsDir, 'default.yaml'), agent);
    const peers = resources.use(await startPeerServices());
    const telemetry = resources.use(new Telemetry({ service: 'driver', env: {} }));
    process.env['SPANWISE_TEST_MODEL_URL'] = server.url;
    const config = readAgentRuntimeConfig({
      SPANWISE_PORT: '0',
      SPANWISE_TOOL_HOST_URL: peers.url,
      SPANWISE_FILESYSTEM_URL: peers.url,
      SPANWISE_AGENTS_DIR: agentsDir,
      SPANWISE_MODEL_PROVIDERS: 'openai-chat,openai-responses,google,ai-sdk,local=openai-chat',
      SPANWISE_MODEL_BASE_URL: server.url,
      SPANWISE_MODEL_OPENAI_RESPONSES_BASE_URL: server.url,
      SPANWISE_MODEL_GOOGLE_BASE_URL: new URL(server.url).origin,
      SPANWISE_MODEL_LOCAL_BASE_URL: server.url,
      SPANWISE_AI_SDK_MODELS: fileURLToPath(new URL('./fixtures/ai-sdk-models.mjs', import.meta.url)),
      OPENAI_API_KEY: 'sk-secret',
      GEMINI_API_KEY: 'AIza-secret',
      ...more,
    });
    const service = resources.use(await createAgentRuntimeService(config, { logger: silentLogger, random: () => 0 }));
    const driver = new TestDriver(runtimeClient(service.server.url, telemetry)).start();
    const finish = await driver.finished;
    const changedLines = agent.split('\n').filter((line, index) => line !== shipped.split('\n')[index]);
    return { finish, story: storyOf(driver), executions: peers.executions, changedLines };
  }

  it.each(agents)('does the same on another model by one line of its file: %s', async (model, replies) => {
    await using server = await startModelServer(...replies);
    const { finish, story, executions, changedLines } = await run(model, server);
    expect(changedLines.length).toBe(model === 'gpt-5-mini' ? 0 : 1);
    expect(finish).toMatchObject({ outcome: { case: 'completed' }, usage: { inputTokens: 200n, outputTokens: 40n } });
    expect(executions).toMatchObject([{ tool: 'read', argumentsJson }]);
    expect(story.rows).toEqual([
      { role: 3, parts: [['read', argumentsJson]] },
      { role: 4, parts: ['toolResult'] },
      { role: 3, parts: ['Hello.'] },
    ]);
    expect(server.calls).toHaveLength(2);
    expect(JSON.stringify(server.calls[1]?.body)).toContain('what is in it');
  });

  it('does the same from recordings, which have no keys and no headers', async () => {
    await using server = await startModelServer(...chat);
    const recorded = await run('openai-chat:gpt-5-mini', server, { SPANWISE_RECORD_MODELS: recordings() });
    const files = await readdir(recordings());
    const texts = await Promise.all(files.map((file) => readFile(join(recordings(), file), 'utf8')));
    expect(files).toHaveLength(2);
    expect(texts.join('')).not.toMatch(/sk-secret|AIza-secret|authorization|127\.0\.0\.1/i);
    await using nobody = await startModelServer();
    const replayed = await run('replay:whatever', nobody, {
      SPANWISE_MODEL_PROVIDERS: 'replay',
      SPANWISE_REPLAY_MODELS: recordings(),
    });
    expect(replayed.story).toEqual(recorded.story);
    expect(replayed.executions).toMatchObject([{ tool: 'read', argumentsJson }]);
    expect(nobody.calls).toEqual([]);
  });

  it('says so when a dialogue was not recorded', async () => {
    await using nobody = await startModelServer();
    await writeFile(join(folder, 'other.jsonl'), `${JSON.stringify({ version: 1, request: { messages: [] } })}\n`);
    const { finish } = await run('replay:whatever', nobody, {
      SPANWISE_MODEL_PROVIDERS: 'replay',
      SPANWISE_REPLAY_MODELS: join(folder, 'other.jsonl'),
    });
    expect(finish).toMatchObject({
      outcome: {
        case: 'failed',
        value: { message: expect.stringContaining('nothing was recorded for this dialogue') },
      },
    });
  });

  it.each([
    ['no recordings', { SPANWISE_MODEL_PROVIDERS: 'replay', SPANWISE_REPLAY_MODELS: '/nowhere' }],
    ['no module', { SPANWISE_AI_SDK_MODELS: './nowhere.mjs' }],
  ])('does not start with %s', async (_, settings) => {
    await using server = await startModelServer();
    await expect(run('gpt-5-mini', server, settings)).rejects.toMatchObject({ reason: 'INVALID_FIELD' });
  });
});
