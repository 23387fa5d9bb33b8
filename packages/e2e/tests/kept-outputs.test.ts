import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@connectrpc/connect';
import { SpanwiseClient } from '@spanwise/client';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { brandId, randomIds, type Uid } from '@spanwise/kernel';
import { callOptions, createInternalTransport, toDomainError } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import { type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow } from './follow.ts';
import { testModel } from './scripts.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-kept-outputs-'));
const telemetry = new Telemetry({ service: 'session', env: {} });
const asAlice = callOptions({ identity: { uid: brandId<Uid>('alice'), email: '', token: '' } });
let model: ScriptedModel;
let stack: EmbeddedStack;
let client: SpanwiseClient;
let files: Client<typeof FileSystemService>;

beforeAll(async () => {
  model = await startScriptedModel(testModel);
  const env = { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'error' };
  stack = await startEmbeddedStack({ dataDir, env });
  client = new SpanwiseClient({ baseUrl: stack.urls.session, uid: 'alice' });
  files = createClient(FileSystemService, createInternalTransport({ baseUrl: stack.urls.filesystem, telemetry }));
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  await telemetry[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The result of the one call of a run, and the files that the run has told. */
async function called(sessionId: string, tool: string, input: object) {
  const { events, done } = follow(client, sessionId, `call ${tool} ${JSON.stringify(input)}`);
  await done;
  const [result] = events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value] : []));
  const [content] = result?.content ?? [];
  const outputs = events.flatMap(({ data }) => (data.case === 'outputFile' ? [data.value.path] : []));
  return { result, outputs, text: content?.content.case === 'text' ? content.content.value : '' };
}

test('keeps an output that is too long where later runs of the session read it, and only tool-host writes', async () => {
  const { id: sessionId } = await client.createSession();
  const viewId = randomIds().uuid();
  await files.openView({ viewId, sessionId }, asAlice);
  const write = (path: string, text: string) =>
    files.write({ viewId, path, data: new TextEncoder().encode(text) }, asAlice);
  const nameOf = (number: number) => `${String(number).padStart(3, '0')}-${'x'.repeat(240)}`;
  for (let number = 1; number <= 230; number += 1) {
    await write(`/workspace/many/${nameOf(number)}`, 'needle');
  }

  const long = await called(sessionId, 'ls', { path: '/workspace/many' });
  const path = long.result?.truncated?.fullPath ?? '';
  expect(path).toMatch(/^\/tool-results\/[^/]+\.txt$/);
  expect(long.text).toContain(`All of it is in ${path}: read or grep there.`);
  expect([long.text.includes(nameOf(1)), long.text.includes(nameOf(230))]).toEqual([true, false]);
  expect(long.outputs).toEqual([]);

  expect((await called(sessionId, 'read', { path, offset: 230 })).text).toContain(`${nameOf(230)}  6 B`);
  expect((await called(sessionId, 'grep', { pattern: '^230-x', path })).text).toContain(nameOf(230));
  const everywhere = await called(sessionId, 'grep', { pattern: '^needle|^230-x', path: '/', mode: 'count' });
  expect([everywhere.text.includes('/workspace/many/'), everywhere.text.includes(path)]).toEqual([true, false]);

  const refused = await called(sessionId, 'write', { path: '/tool-results/x', content: 'x' });
  expect(refused.text).toContain('/tool-results/x can not be changed: /tool-results is read-only.');
  const reason = await write('/tool-results/x', 'x').then(
    () => 'it did not fail',
    (error: unknown) => toDomainError(error).reason,
  );
  expect(reason).toBe('MOUNT_READ_ONLY');
  const { entries } = await files.list({ viewId, path: '/tool-results' }, asAlice);
  expect(entries.map((entry) => entry.path)).toEqual([path]);
});
