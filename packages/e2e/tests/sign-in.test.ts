import { randomBytes } from 'node:crypto';
import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { InterruptKind, SpanwiseClient, SpanwiseError } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { RunStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { brandId, type Uid } from '@spanwise/kernel';
import { callOptions, createInternalTransport } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import { type ModelReply, type ModelRequest, type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answerText, follow, kinds, seqs } from './follow.ts';
import { startUsersServer, type UsersServer } from './users-server.ts';

const [oldToken, newToken] = ['old-token-of-alice', 'new-token-of-alice'];
const files = ['/userinfo/profile.txt', '/userinfo/plans.txt'];

let dataDir: string;
let users: UsersServer;
let model: ScriptedModel;
let collector: Server;
let stack: EmbeddedStack;
/** What was exported of spans, and written to the log. */
const exported: Buffer[] = [];
const logged: string[] = [];

/** Reads the profile, then, in another turn, two files at once, then says what it has read. */
async function readingModel({ messages }: ModelRequest): Promise<ModelReply> {
  const results = messages
    .filter(({ role }) => role === 'tool')
    .map(({ content }) => (typeof content === 'string' ? content : ''));
  const read = (path: string | undefined) => ({ tool: 'read', input: { path } });
  if (results.length === 0) {
    return { toolCalls: [read(files[0])] };
  }
  if (results.length === 1) {
    // Meanwhile the token expires.
    users.tokens.delete(oldToken);
    return { toolCalls: files.map(read) };
  }
  return { text: `It says: ${results.join('; ')}` };
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'spanwise-sign-in-'));
  users = await startUsersServer();
  users.tokens.set(oldToken, 'likes tea').set(newToken, 'likes coffee');
  writeFileSync(join(dataDir, 'fs-view.yaml'), users.viewYaml);
  model = await startScriptedModel(readingModel, { deltaMs: 0 });
  collector = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => exported.push(chunk));
    request.on('end', () => response.setHeader('content-type', 'application/x-protobuf').end());
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const collectorUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collectorUrl);
  const write = fs.writeSync;
  // The loggers write to standard error by this.
  vi.spyOn(fs, 'writeSync').mockImplementation((fd, text, ...more) => {
    if (fd !== 2) {
      return write(fd, text, ...more);
    }
    logged.push(text);
    return Buffer.byteLength(text);
  });
  await start(randomBytes(32).toString('base64'));
});

afterEach(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  await users[Symbol.asyncDispose]();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(dataDir, { recursive: true, force: true });
});

let tokenKey = '';

async function start(key = tokenKey): Promise<void> {
  tokenKey = key;
  const env = {
    SPANWISE_MODEL_BASE_URL: model.baseUrl,
    OPENAI_API_KEY: 'none',
    SPANWISE_LOG_LEVEL: 'debug',
    SPANWISE_FS_VIEW: join(dataDir, 'fs-view.yaml'),
    SPANWISE_TOKEN_KEY: key,
    OTEL_EXPORTER_OTLP_ENDPOINT: process.env.OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  stack = await startEmbeddedStack({ dataDir, env });
}

function clientOf(uid: string, token?: string): SpanwiseClient {
  const baseUrl = stack.urls.session;
  return new SpanwiseClient({ baseUrl, uid, ...(token === undefined ? {} : { token: () => token }) });
}

async function restart(): Promise<void> {
  await stack[Symbol.asyncDispose]();
  await start();
}

/** What a run asks, as its RUN_WAITING tells. */
function askedBy(events: readonly AgentEvent[]) {
  const last = events.at(-1)?.data;
  return last?.case === 'runWaiting' ? last.value.interrupts : expect.fail(`the run ended with ${last?.case}`);
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it did not fail',
    (error: unknown) => SpanwiseError.from(error).reason,
  );
}

/** A run whose token expires while it goes on, up to RUN_WAITING. */
async function waitingRun() {
  const client = clientOf('alice', oldToken);
  const session = await client.createSession();
  const requestId = crypto.randomUUID();
  const { events, done, run } = follow(client, session.id, 'look', requestId);
  await done;
  return { sessionId: session.id, requestId, events, runId: (await run).id, asked: askedBy(events) };
}

/** The same run to its end. */
async function goOn(client: SpanwiseClient, { sessionId, requestId, events }: Awaited<ReturnType<typeof waitingRun>>) {
  const afterSeq = BigInt(seqs(events).at(-1) ?? 0);
  const rest = follow(client, sessionId, 'look', { requestId, afterSeq });
  await rest.done;
  return rest.events;
}

const authorizations = () => [...new Set(users.sent.map(({ authorization }) => authorization))];
const plain = (value: unknown) =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));

/** All that is stored, in every database. */
const stored = () =>
  readdirSync(dataDir, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join(dataDir, name), 'latin1'))
    .join('');

test('a run whose token expires waits over a restart, and goes on with the token of the answer', async () => {
  const waiting = await waitingRun();
  const { sessionId, runId, asked, events } = waiting;
  expect(asked.map(({ kind }) => kind)).toEqual([InterruptKind.AUTH, InterruptKind.AUTH]);
  const expected = files.map(
    (file) => `The disk "users" of ${file} did not take your token: sign in, and answer with a valid one.`,
  );
  expect(asked.map(({ message }) => message).toSorted()).toEqual(expected.toSorted());
  expect(asked.every(({ expireTime }) => Number(expireTime?.seconds) * 1000 > Date.now())).toBe(true);
  expect(authorizations()).toEqual([`Bearer ${oldToken}`]);
  await restart();
  users.sent.length = 0;
  const client = clientOf('alice');
  const answered = await client.signIn(sessionId, runId, asked[0]?.id ?? '', newToken);
  expect(answered.status).toBe(RunStatus.RUNNING);
  const rest = await goOn(client, waiting);
  expect(kinds(rest).filter((kind) => kind === 'interruptAnswered')).toHaveLength(2);
  expect(rest.at(-1)?.data.case).toBe('runEnd');
  expect(answerText(rest)).toBe('It says: 1\tlikes tea; 1\tlikes coffee; 1\tlikes coffee');
  expect(authorizations()).toEqual([`Bearer ${newToken}`]);
  // The same answer again is fine, also to the other call that it was for.
  await client.signIn(sessionId, runId, asked[1]?.id ?? '', newToken);
  const { events: all } = await client.sessions.listEvents({ sessionId, pageSize: 200 });
  const { messages } = await client.sessions.listMessages({ sessionId, pageSize: 200 });
  await stack[Symbol.asyncDispose]();
  for (const token of [oldToken, newToken]) {
    expect(plain([events, rest, all, messages])).not.toContain(token);
    expect(plain(model.requests)).not.toContain(token);
    expect(stored()).not.toContain(token);
    expect(Buffer.concat(exported).toString('latin1')).not.toContain(token);
    expect(logged.join('')).not.toContain(token);
  }
  expect(stored()).toContain('{"signed_in":true}');
  expect(Buffer.concat(exported).toString('latin1')).toContain('execute_tool read');
  expect(logged.join('')).toContain('"service":"session"');
  await start();
});

test('the run goes on with that token when its process is lost after the answer', async () => {
  const waiting = await waitingRun();
  const { sessionId, runId, asked } = waiting;
  // Answered, and stopped before the run has come far.
  await clientOf('alice').signIn(sessionId, runId, asked[0]?.id ?? '', newToken);
  await restart();
  const rest = await goOn(clientOf('alice'), waiting);
  expect(answerText(rest)).toContain('likes coffee; 1\tlikes coffee');
  expect(users.sent.at(-1)).toEqual({ path: expect.any(String), authorization: `Bearer ${newToken}` });
});

test('nobody else can answer or look, and an answer without a token is told what to send', async () => {
  const waiting = await waitingRun();
  const { sessionId, runId, asked } = waiting;
  const id = asked[0]?.id ?? '';
  const mallory = clientOf('mallory', 'token-of-mallory');
  expect(await reasonOf(mallory.signIn(sessionId, runId, id))).toBe('SESSION_NOT_FOUND');
  expect(await reasonOf(mallory.sessions.getSession({ sessionId }))).toBe('SESSION_NOT_FOUND');
  const own = await mallory.createSession();
  expect(await reasonOf(mallory.signIn(own.id, runId, id))).toBe('INTERRUPT_NOT_FOUND');
  await using telemetry = new Telemetry({ service: 'test', env: {} });
  const views = createClient(FileSystemService, createInternalTransport({ baseUrl: stack.urls.filesystem, telemetry }));
  const as = callOptions({ identity: { uid: brandId<Uid>('mallory'), email: '', token: newToken } });
  expect(await reasonOf(views.read({ viewId: runId, path: files[0] ?? '' }, as))).toBe('VIEW_NOT_FOUND');
  const alice = clientOf('alice');
  await expect(alice.signIn(sessionId, runId, id)).rejects.toMatchObject({
    reason: 'INVALID_FIELD',
    message: expect.stringContaining('token must be sent as `authorization: Bearer …` or `token`'),
  });
  // Another wrong token: the user is asked again, for each call.
  await alice.signIn(sessionId, runId, id, 'wrong-token-of-alice');
  const again = await goOn(alice, waiting);
  expect(askedBy(again).map(({ message }) => message)).toEqual([
    expect.stringContaining('did not take your token either'),
    expect.stringContaining('did not take your token either'),
  ]);
  // Without signing in it goes on as well, and the model is told.
  await alice.answer(sessionId, runId, askedBy(again)[0]?.id ?? '', { signed_in: false });
  const rest = await goOn(alice, { ...waiting, events: again });
  expect(answerText(rest)).toMatch(/^It says: 1\tlikes tea; (The user has not signed in\..*){2}$/s);
});
