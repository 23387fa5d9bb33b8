import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpanwiseClient } from '@spanwise/client';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerText, follow } from './follow.ts';
import { testModel } from './scripts.ts';

/** What each user's token opens. */
const profiles = new Map([
  ['Bearer token-of-alice', 'alice likes tea'],
  ['Bearer token-of-bob', 'bob likes coffee'],
]);

const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-token-'));
/** What the server of the users' files was sent. */
const sent: string[] = [];
let files: Server;
let model: ScriptedModel;
let stack: EmbeddedStack;

beforeAll(async () => {
  files = createServer(({ url = '', method, headers: { authorization = '' } }, response) => {
    sent.push(authorization);
    const profile = profiles.get(authorization);
    const status = profile === undefined ? 401 : url === '/files/profile.txt' ? 200 : 404;
    const body = status === 200 ? (profile ?? '') : '';
    response.writeHead(status, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) });
    response.end(method === 'HEAD' ? undefined : body);
  });
  files.listen(0, '127.0.0.1');
  await once(files, 'listening');
  const view = join(dataDir, 'fs-view.yaml');
  writeFileSync(
    view,
    `disks:
  work: { kind: tree }
  users: { kind: rest, base_url: "http://127.0.0.1:${(files.address() as AddressInfo).port}/files", auth: forward_user }
fs_view:
  session:
    mount_conf:
      - { mount: /workspace, disk_name: work, remote: "/{uid}/{session_id}", output_path: true }
      - { mount: /userinfo, disk_name: users, read_only: true }
`,
  );
  model = await startScriptedModel(testModel, { deltaMs: 0 });
  const env = { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'error' };
  stack = await startEmbeddedStack({ dataDir, env: { ...env, SPANWISE_FS_VIEW: view } });
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  files.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Lets a user's agent read what is at the users' own server. */
async function readAs(uid: string, token?: string) {
  const client = new SpanwiseClient({ baseUrl: stack.urls.session, uid, ...(token && { token: () => token }) });
  const session = await client.createSession();
  const { events, done } = follow(client, session.id, 'call read {"path":"/userinfo/profile.txt"}');
  sent.length = 0;
  await done;
  const { events: stored } = await client.sessions.listEvents({ sessionId: session.id, pageSize: 200 });
  const told = JSON.stringify([events, stored], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return { answer: answerText(events), told };
}

test.each(['alice', 'bob'])(
  'an agent reads from a rest disk with the token of %s, which nobody else sees',
  async (uid) => {
    const token = `token-of-${uid}`;
    const { answer, told } = await readAs(uid, token);
    expect(answer).toContain(profiles.get(`Bearer ${token}`));
    expect([...new Set(sent)]).toEqual([`Bearer ${token}`]);
    expect(told).not.toContain(token);
    expect(JSON.stringify(model.requests)).not.toContain(token);
  },
);

test('an agent whose user has no token, or one that is not taken, is told what to do', async () => {
  expect((await readAs('carol')).answer).toContain('sign in again');
  expect(sent).toEqual([]);
  expect((await readAs('mallory', 'token-of-mallory')).answer).toContain('sign in again');
  expect([...new Set(sent)]).toEqual(['Bearer token-of-mallory']);
});
