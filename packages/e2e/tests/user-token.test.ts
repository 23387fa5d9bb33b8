import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpanwiseClient } from '@spanwise/client';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerText, follow } from './follow.ts';
import { testModel } from './scripts.ts';
import { startUsersServer, type UsersServer } from './users-server.ts';

/** What each user's token opens. */
const profiles = { alice: 'alice likes tea', bob: 'bob likes coffee' } as const;

const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-token-'));
let users: UsersServer;
let model: ScriptedModel;
let stack: EmbeddedStack;

beforeAll(async () => {
  users = await startUsersServer();
  Object.entries(profiles).forEach(([uid, profile]) => users.tokens.set(`token-of-${uid}`, profile));
  const view = join(dataDir, 'fs-view.yaml');
  writeFileSync(view, users.viewYaml);
  model = await startScriptedModel(testModel, { deltaMs: 0 });
  const env = { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'error' };
  stack = await startEmbeddedStack({ dataDir, env: { ...env, SPANWISE_FS_VIEW: view } });
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  await users[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

const sent = () => [...new Set(users.sent.map(({ authorization }) => authorization))];

/** Lets a user's agent read what is at the users' own server, with nobody there to be asked. */
async function readAs(uid: string, token?: string) {
  const client = new SpanwiseClient({ baseUrl: stack.urls.session, uid, ...(token && { token: () => token }) });
  const session = await client.createSession();
  const input = 'call read {"path":"/userinfo/profile.txt"}';
  const { events, done } = follow(client, session.id, input, { options: { interactive: false } });
  users.sent.length = 0;
  await done;
  const { events: stored } = await client.sessions.listEvents({ sessionId: session.id, pageSize: 200 });
  const told = JSON.stringify([events, stored], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return { answer: answerText(events), told };
}

test.each(['alice', 'bob'] as const)(
  'an agent reads from a rest disk with the token of %s, which nobody else sees',
  async (uid) => {
    const token = `token-of-${uid}`;
    const { answer, told } = await readAs(uid, token);
    expect(answer).toContain(profiles[uid]);
    expect(sent()).toEqual([`Bearer ${token}`]);
    expect(told).not.toContain(token);
    expect(JSON.stringify(model.requests)).not.toContain(token);
  },
);

test('an agent whose user has no token, or one that is not taken, is told what to do', async () => {
  expect((await readAs('carol')).answer).toContain('sign in again');
  expect(sent()).toEqual([]);
  expect((await readAs('mallory', 'token-of-mallory')).answer).toContain('sign in again');
  expect(sent()).toEqual(['Bearer token-of-mallory']);
});
