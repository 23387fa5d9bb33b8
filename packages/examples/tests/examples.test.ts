import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { demoModel, type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-examples-'));
let model: ScriptedModel;
let stack: EmbeddedStack;

beforeAll(async () => {
  model = await startScriptedModel(demoModel, { deltaMs: 1, chunkSize: 8 });
  const env = { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'error' };
  stack = await startEmbeddedStack({ dataDir, env });
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

function example(name: string, ...args: readonly string[]) {
  const url = stack.urls.session;
  const env = { ...process.env, SPANWISE_URL: url, SPANWISE_ADDRESS: new URL(url).host };
  const path = fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
  return promisify(execFile)(process.execPath, [path, ...args], { env });
}

test('the TypeScript caller shows an answer as it streams', async () => {
  const { stdout } = await example('ask', 'What is in my workspace?');
  expect(stdout).toContain('[ls]');
  expect(stdout).toContain('You said: “What is in my workspace?”');
});

test('the grpc-js caller stores every event once over a break', async () => {
  const { stdout } = await example('grpc-js-caller');
  expect(stdout).toMatch(/stored \d+ events over 2 streams, contiguous: true\nthe run ended with runEnd/);
});
