import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpanwiseClient, SpanwiseError } from '@spanwise/client';
import { RunStatus, SessionStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { answerText, follow, kinds, seqs } from './follow.ts';
import { longText, testModel } from './scripts.ts';
import { brokenRules } from './well-formed.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-e2e-'));
let model: ScriptedModel;
let stack: EmbeddedStack;
let client: SpanwiseClient;

beforeAll(async () => {
  model = await startScriptedModel(testModel, { deltaMs: 5 });
  const env = { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'error' };
  stack = await startEmbeddedStack({ dataDir, env });
  client = new SpanwiseClient({ baseUrl: stack.urls.session, uid: 'alice' });
});
afterEach(() => expect(model.violations).toEqual([]));
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

test('answers a message with a stream of well-formed events', async () => {
  const session = await client.createSession();
  const { events, done } = follow(client, session.id, 'hello');
  await done;
  expect(brokenRules(events)).toEqual([]);
  expect(answerText(events)).toBe('You said: hello. ä😀');
  expect(seqs(events)).toEqual(Array.from({ length: seqs(events).length }, (_, n) => n + 1));
  expect(kinds(events)).toEqual([
    'runStart',
    'spanStart',
    'message',
    'spanStart',
    'spanStart',
    'textStart',
    'textEnd',
    'usage',
    'spanEnd',
    'message',
    'spanEnd',
    'spanEnd',
    'runEnd',
  ]);
});

test('executes tools on the private workspace of the session, and tells the model of failures', async () => {
  const session = await client.createSession();
  const write = JSON.stringify({ path: 'notes.txt', content: 'kept' });
  const first = follow(client, session.id, `call write ${write}`);
  await first.done;
  expect(first.events.find(({ data }) => data.case === 'toolResult')?.data.value).toMatchObject({
    outcome: ToolOutcome.OK,
  });

  const second = follow(client, session.id, 'call read {"path":"/workspace/notes.txt"}');
  await second.done;
  expect(answerText(second.events)).toContain('kept');

  const other = await client.createSession();
  for (const [call, code] of [
    ['read {"path":"/workspace/notes.txt"}', 'FILE_NOT_FOUND'],
    ['nothing {}', 'TOOL_NOT_FOUND'],
    ['read {"path":', 'INVALID_FIELD'],
    ['write {"path":"/library/x","content":""}', 'MOUNT_READ_ONLY'],
  ]) {
    const failing = follow(client, other.id, `call ${call}`);
    await failing.done;
    expect(brokenRules(failing.events)).toEqual([]);
    const result = failing.events.find(({ data }) => data.case === 'toolResult')?.data.value;
    expect(result).toMatchObject({ outcome: ToolOutcome.ERROR, code });
    expect(failing.events.at(-1)?.data.case).toBe('runEnd');
  }
});

test('changes several files of a session at once, moves and deletes them', async () => {
  const session = await client.createSession();
  const call = async (tool: string, input: unknown) => {
    const { events, done } = follow(client, session.id, `call ${tool} ${JSON.stringify(input)}`);
    await done;
    return answerText(events);
  };
  const patch = (...lines: readonly string[]) => ({ patch: ['*** Begin Patch', ...lines, '*** End Patch'].join('\n') });
  expect(await call('apply_patch', patch('*** Add File: a.txt', '+one', '+two', '*** Add File: b', '+b'))).toContain(
    'Added /workspace/a.txt\nAdded /workspace/b',
  );
  const second = ['*** Update File: a.txt', '*** Move to: d/c.txt', ' one', '-two', '+2', '*** Delete File: b'];
  expect(await call('apply_patch', patch(...second))).toContain(
    'Added /workspace/d/c.txt\nDeleted /workspace/a.txt\nDeleted /workspace/b',
  );
  expect(await call('move', { from: 'd', to: 'e' })).toContain('Moved /workspace/d to /workspace/e.');
  expect(await call('mkdir', { path: 'f/g' })).toContain('The directory /workspace/f/g is there.');
  expect(await call('delete', { path: 'f' })).toContain('/workspace/f is not empty. Set recursive');
  expect(await call('delete', { path: 'f', recursive: true })).toContain('Deleted /workspace/f.');
  expect(await call('move', { from: 'e', to: '/library/e' })).toContain('/library is read-only');
  expect(await call('ls', {})).toBe('The tool said: e/');
  expect(await call('read', { path: 'e/c.txt' })).toBe('The tool said: 1\tone\n2\t2');
});

test('cancels a run in the middle of its text, once, and takes the next', async () => {
  const session = await client.createSession();
  const followed = follow(client, session.id, 'long');
  await followed.saw('textDelta');
  expect(await client.cancel(session.id)).toBe(true);
  await followed.done;
  expect(brokenRules(followed.events)).toEqual([]);
  expect(followed.events.at(-1)?.data).toMatchObject({ case: 'runEnd', value: { outcome: 2 } });
  expect(answerText(followed.events).length).toBeLessThan(longText.length);
  expect(await client.cancel(session.id, (await followed.run).id)).toBe(false);

  const next = follow(client, session.id, 'still there?');
  await next.done;
  expect(answerText(next.events)).toContain('still there?. ä😀');
  const { runs } = await client.sessions.listRuns({ sessionId: session.id });
  expect(runs.map(({ status }) => status)).toEqual([RunStatus.COMPLETED, RunStatus.CANCELLED]);
});

test('refuses a second run while one is active, and goes on with the first', async () => {
  const session = await client.createSession();
  const followed = follow(client, session.id, 'long');
  await followed.saw('textStart');
  const { id } = await followed.run;
  const refused = SpanwiseError.from(await follow(client, session.id, 'me too').done.catch((error: unknown) => error));
  expect(refused).toMatchObject({ reason: 'SESSION_BUSY', facts: { run_id: id } });
  await followed.done;
  expect(answerText(followed.events)).toBe(longText);
});

test('goes on when its caller leaves, and tells the rest to whoever comes back with the same request', async () => {
  const session = await client.createSession();
  const requestId = 'mine';
  const seen = [];
  for await (const event of client.run({ sessionId: session.id, input: 'long', requestId })) {
    seen.push(event);
    if (seen.length === 30) {
      break;
    }
  }
  const last = seqs(seen).at(-1) ?? 0;
  const rest = [];
  for await (const event of client.run({ sessionId: session.id, input: 'long', requestId, afterSeq: BigInt(last) })) {
    rest.push(event);
  }
  expect(seqs([...seen, ...rest])).toEqual(Array.from({ length: seqs([...seen, ...rest]).length }, (_, n) => n + 1));
  expect(rest.at(-1)?.data.case).toBe('runEnd');
  const whole = follow(client, session.id, 'long', requestId);
  await whole.done;
  expect(answerText(whole.events)).toBe(longText);
});

test('tells the same events live, replayed and in pages', async () => {
  const session = await client.createSession();
  const live = follow(client, session.id, 'long');
  await live.done;
  const replayed = [];
  const stop = new AbortController();
  for await (const event of client.watch(
    { sessionId: session.id, onCaughtUp: () => stop.abort() },
    { signal: stop.signal },
  )) {
    replayed.push(event);
  }
  const paged = [];
  for (let pageToken = ''; ; ) {
    const page = await client.sessions.listEvents({ sessionId: session.id, pageSize: 7, pageToken });
    paged.push(...page.events);
    pageToken = page.nextPageToken;
    if (pageToken === '') {
      break;
    }
  }
  expect(seqs(replayed)).toEqual(seqs(live.events));
  expect(paged.map(({ seq }) => Number(seq))).toEqual(seqs(live.events));
  expect(answerText(replayed)).toBe(longText);
  expect(answerText(paged)).toBe(longText);
});

test('shows nothing of a session to another user', async () => {
  const session = await client.createSession('secret');
  const followed = follow(client, session.id, 'hello');
  await followed.done;
  const { id: runId } = await followed.run;
  const bob = new SpanwiseClient({ baseUrl: stack.urls.session, uid: 'bob' }).sessions;
  const sessionId = session.id;
  const missing = '01890000-0000-7000-8000-000000000001';
  for (const id of [sessionId, missing]) {
    const calls = [
      bob.getSession({ sessionId: id }),
      bob.updateSession({ sessionId: id, title: 'x', updateMask: { paths: ['title'] } }),
      bob.deleteSession({ sessionId: id, cancelActiveRun: true }),
      bob.cancelRun({ sessionId: id, runId }),
      bob.listRuns({ sessionId: id }),
      bob.listEvents({ sessionId: id }),
      bob.listMessages({ sessionId: id }),
      bob.startRun({ sessionId: id, input: [{ parts: [{ part: { case: 'text', value: 'x' } }] }] }),
    ];
    const results = await Promise.allSettled(calls);
    const reasons = results.map((result) => result.status === 'rejected' && SpanwiseError.from(result.reason).reason);
    expect(reasons).toEqual(calls.map(() => 'SESSION_NOT_FOUND'));
  }
  expect((await bob.listSessions({})).sessions).toEqual([]);
  expect((await client.sessions.getSession({ sessionId })).session).toMatchObject({
    title: 'secret',
    status: SessionStatus.IDLE,
  });
});

test('lets one process use a data folder', async () => {
  await expect(startEmbeddedStack({ dataDir, env: {} })).rejects.toThrow(/Another Spanwise process uses/);
});
