import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from '@connectrpc/connect';
import { ExecutionState, ExecutionStop, ToolEffect } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { InterruptKind } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { errorInfoOf } from '@spanwise/service-kit';
import { silentLogger } from '@spanwise/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createToolHostService, openToolHostDatabase, type ToolHostRunningService } from '../src/composition-root.ts';
import { builtInTools } from '../src/infrastructure/tools/built-in-tools.ts';
import { FileSystemServer } from './file-system-server.ts';
import { ProbeTools } from './probe-tools.ts';
import { testConfig } from './test-config.ts';
import { headers, newCall, ToolHostClient } from './tool-host-client.ts';

let folder: string;
let fileSystem: FileSystemServer;
let probes: ProbeTools;
let host: ToolHostRunningService;
let client: ToolHostClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spanwise-tool-host-'));
  fileSystem = await new FileSystemServer().start();
  probes = new ProbeTools();
  await start();
});

afterEach(async () => {
  probes.releaseAll();
  await host[Symbol.asyncDispose]();
  await fileSystem[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const config = testConfig({ filesystemUrl: fileSystem.url, databaseUrl: `sqlite:${folder}/tool-host.db` });
  const tools = [...builtInTools, ...probes.tools];
  host = await createToolHostService(config, { logger: silentLogger, tools });
  client = new ToolHostClient(host.url);
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was not refused'),
    (error) => ({ code: error.code, reason: errorInfoOf(error)?.reason }),
  );
const fenced = { code: Code.Aborted, reason: 'FENCED' };

test('executes a call once, answers it again after a restart, and refuses other arguments', async () => {
  const call = newCall();
  const write = { path: 'a.txt', content: 'one' };
  const first = await client.execute(call, 'write', write);
  expect(first.text).toBe('Created /workspace/a.txt: 3 bytes.');
  fileSystem.memory.put('/workspace/a.txt', 'changed');
  await host[Symbol.asyncDispose]();
  await start();
  expect(await client.execute({ ...call, epoch: 2n }, 'write', write)).toEqual(first);
  expect(fileSystem.memory.text('/workspace/a.txt')).toBe('changed');
  const other = client.execute(call, 'write', { ...write, content: 'two' });
  expect(await refusal(other)).toEqual({ code: Code.AlreadyExists, reason: 'CALL_REUSED' });
  expect(await client.get(call)).toMatchObject({
    state: ExecutionState.DONE,
    effect: ToolEffect.IDEMPOTENT,
    result: first.result,
  });
});

test.each([
  ['write', { path: 'a.txt', content: 'two' }, 'Wrote /workspace/a.txt.', 'Write'],
  ['edit', { path: 'a.txt', old_text: 'one', new_text: 'two' }, 'Replaced the text in /workspace/a.txt.', 'Edit'],
])(
  'changes a file once with %s, though the call is executed again by a process that knows less',
  async (tool, input, text, rpc) => {
    const call = newCall();
    fileSystem.memory.put('/workspace/a.txt', 'one');
    await client.execute({ ...call, callId: newCall().callId }, 'read', { path: 'a.txt' });
    await client.execute(call, tool, input);
    await host[Symbol.asyncDispose]();
    await start();
    await using database = await openToolHostDatabase(testConfig({ databaseUrl: `sqlite:${folder}/tool-host.db` }));
    await database.sql.run("update executions set state = 'UNKNOWN', result = null where call_id = ?", [call.callId]);
    const again = await client.execute({ ...call, epoch: 2n }, tool, input);
    expect(again).toMatchObject({ text, result: { outcome: ToolOutcome.OK } });
    expect(fileSystem.memory.text('/workspace/a.txt')).toBe('two');
    const idempotencyKey = `${call.runId}:${call.callId}:1`;
    expect(fileSystem.changes).toEqual([
      { rpc, epoch: 1n, idempotencyKey },
      { rpc, epoch: 2n, idempotencyKey },
    ]);
  },
);

test('refuses whatever comes below the fence, and GetExecution too', async () => {
  const call = newCall();
  await client.rpcs.fence({ ...call, epoch: 3n }, { headers });
  expect(await refusal(client.execute({ ...call, epoch: 2n }, 'write', { path: 'a', content: '' }))).toEqual(fenced);
  expect(await refusal(client.execute({ ...call, epoch: 2n }, 'read', { path: 'a' }))).toEqual(fenced);
  expect(await refusal(client.get({ ...call, epoch: 2n }))).toEqual(fenced);
  expect(await client.get({ ...call, epoch: 3n })).toMatchObject({ state: ExecutionState.NONE, effect: 0 });
  expect((await client.execute({ ...call, epoch: 3n }, 'write', { path: 'a', content: '' })).result).toMatchObject({
    outcome: ToolOutcome.OK,
  });
});

test.each(['once', 'look'])('stops "%s", which goes on, with a line in the receipt', async (tool) => {
  const call = newCall();
  const executing = refusal(client.execute(call, tool));
  await probes.begun(tool);
  expect(await client.stop(call)).toEqual([{ callId: call.callId, tool, outcome: ExecutionStop.STOPPED }]);
  expect(await executing).toEqual(fenced);
  expect(await client.stop(call)).toEqual([]);
  expect(await refusal(client.execute(call, tool))).toEqual(fenced);
  const { state } = await client.get({ ...call, epoch: 2n });
  expect(state).toBe(tool === 'look' ? ExecutionState.NONE : ExecutionState.UNKNOWN);
});

test('says in time that a tool is unstoppable which ignores its signal', async () => {
  const call = newCall();
  const executing = refusal(client.execute(call, 'deaf'));
  await probes.begun('deaf');
  const startedMs = performance.now();
  const outcome = ExecutionStop.UNSTOPPABLE;
  expect(await client.stop(call)).toEqual([{ callId: call.callId, tool: 'deaf', outcome }]);
  expect(performance.now() - startedMs).toBeGreaterThan(480);
  expect(performance.now() - startedMs).toBeLessThan(2000);
  expect(await executing).toEqual(fenced);
  await expect(probes.filesOfDeaf()).rejects.toMatchObject({ reason: 'FENCED' });
});

test('waits for an execution that goes on, as long as asked', async () => {
  const call = newCall();
  const executing = client.execute(call, 'once');
  await probes.begun('once');
  expect(await client.get(call)).toMatchObject({ state: ExecutionState.STARTED, effect: ToolEffect.NON_REPEATABLE });
  expect((await client.get(call, 150)).state).toBe(ExecutionState.STARTED);
  const waiting = client.get(call, 10_000);
  probes.release('once');
  expect(await waiting).toMatchObject({ state: ExecutionState.DONE, result: { outcome: ToolOutcome.OK } });
  expect((await executing).text).toBe('once: 1');
});

test('lets a call wait for the user over a restart, and executes it with the answer', async () => {
  const call = newCall();
  const questions = [{ question: 'Which colour?', options: ['red', 'blue'] }, { question: 'Why?' }];
  const { suspended, result } = await client.execute(call, 'ask_user', { questions });
  expect(result).toBeUndefined();
  expect(suspended).toMatchObject({ kind: InterruptKind.QUESTION, callId: call.callId });
  expect(Number(suspended?.expireTime?.seconds) * 1000 - Date.now()).toBeGreaterThan(23 * 60 * 60 * 1000);
  expect(await client.get(call)).toMatchObject({ state: ExecutionState.SUSPENDED, suspended });
  await host[Symbol.asyncDispose]();
  await start();
  expect((await client.execute({ ...call, epoch: 2n }, 'ask_user', { questions })).suspended).toEqual(suspended);
  const answer = { interruptId: suspended?.id, callId: call.callId, answerJson: '{"answers":["blue","why not"]}' };
  const wrong = client.execute(call, 'ask_user', { questions }, { answer: { ...answer, interruptId: 'other' } });
  expect(await refusal(wrong)).toEqual({ code: Code.InvalidArgument, reason: 'INVALID_FIELD' });
  const answered = await client.execute({ ...call, epoch: 3n }, 'ask_user', { questions }, { answer });
  expect(answered.text).toBe('Question: Which colour?\nAnswer: blue\n\nQuestion: Why?\nAnswer: why not');
  expect(answered.result?.structuredJson).toBe('{"answers":["blue","why not"]}');
  expect((await client.get(call)).state).toBe(ExecutionState.DONE);
});

test('goes on without an answer when nobody gave one in time', async () => {
  const call = newCall();
  const questions = [{ question: 'Sure?' }];
  const { suspended } = await client.execute(call, 'ask_user', { questions });
  const answer = { interruptId: suspended?.id, callId: call.callId, expired: true };
  const { result, text } = await client.execute(call, 'ask_user', { questions }, { answer });
  expect(result?.outcome).toBe(ToolOutcome.TIMEOUT);
  expect(text).toContain('Nobody answered in time.');
});

test('lets a call that only reads wait for a token over a restart, and reads with that of the answer', async () => {
  fileSystem.memory.put('/userinfo/profile.txt', 'likes tea');
  fileSystem.memory.userToken = 'fresh-token';
  const call = newCall();
  const input = { path: '/userinfo/profile.txt' };
  const { suspended, result } = await client.execute(call, 'read', input);
  expect(result).toBeUndefined();
  expect(suspended).toMatchObject({ kind: 2, callId: call.callId, message: expect.stringContaining('"users"') });
  await host[Symbol.asyncDispose]();
  await start();
  const found = await client.get({ ...call, epoch: 2n });
  expect(found).toMatchObject({ state: ExecutionState.SUSPENDED, effect: ToolEffect.READ_ONLY, suspended });
  expect((await client.execute({ ...call, epoch: 2n }, 'read', input)).suspended).toEqual(suspended);
  const answer = { interruptId: suspended?.id, callId: call.callId, answerJson: '{"signed_in":true}' };
  const fresh = { answer, headers: { ...headers, token: 'fresh-token' } };
  expect((await client.execute({ ...call, epoch: 3n }, 'read', input, fresh)).text).toBe('1\tlikes tea');
});

test('records a call UNKNOWN whose RPC was cancelled', async () => {
  const call = newCall();
  const caller = new AbortController();
  const executing = refusal(client.execute(call, 'once', {}, { signal: caller.signal }));
  await probes.begun('once');
  caller.abort();
  expect((await executing).code).toBe(Code.Canceled);
  await expect.poll(async () => (await client.get(call)).state).toBe(ExecutionState.UNKNOWN);
  expect((await client.execute(call, 'once')).result?.outcome).toBe(ToolOutcome.UNKNOWN);
});

test('deletes what it has of a session, and leaves it shut', async () => {
  const [call, other] = [newCall(), newCall()];
  for (const each of [call, other]) {
    await client.execute(each, 'write', { path: each.callId, content: '' });
  }
  const executing = refusal(client.execute({ ...call, callId: newCall().callId }, 'once'));
  await probes.begun('once');
  await client.rpcs.deleteSessionData({ sessionId: call.sessionId }, { headers });
  expect(await executing).toEqual(fenced);
  await client.rpcs.deleteSessionData({ sessionId: call.sessionId }, { headers });
  expect(await refusal(client.execute({ ...call, epoch: 99n }, 'ls', {}))).toEqual(fenced);
  expect((await client.get(other)).state).toBe(ExecutionState.DONE);
});

test('refuses an epoch that is no safe integer', async () => {
  const call = newCall({ epoch: 2n ** 53n });
  const invalid = { code: Code.InvalidArgument, reason: 'INVALID_FIELD' };
  expect(await refusal(client.execute(call, 'ls', {}))).toEqual(invalid);
  expect(await refusal(client.get(call))).toEqual(invalid);
  expect(await refusal(client.stop(call))).toEqual(invalid);
});

test('finishes what goes on when it is stopped, tells of it meanwhile, and begins nothing', async () => {
  const [call, other] = [newCall(), newCall()];
  const executing = client.execute(call, 'once');
  await probes.begun('once');
  host.server.drain();
  const draining = host.drain();
  const late = new ToolHostClient(host.url);
  expect(await refusal(late.execute(other, 'again'))).toEqual({ code: Code.Unavailable, reason: 'SHUTTING_DOWN' });
  const waiting = late.get(call, 10_000);
  probes.release('once');
  expect((await executing).text).toBe('once: 1');
  expect((await waiting).state).toBe(ExecutionState.DONE);
  await draining;
});

test('stops what does not end in time when it is stopped, and says what is not known', async () => {
  const [once, again] = [newCall(), newCall()];
  const told = client.execute(once, 'once');
  const refused = refusal(client.execute(again, 'again'));
  await Promise.all([probes.begun('once'), probes.begun('again')]);
  await host[Symbol.asyncDispose]();
  expect((await told).result?.outcome).toBe(ToolOutcome.UNKNOWN);
  expect(await refused).toEqual({ code: Code.Unavailable, reason: 'SHUTTING_DOWN' });
  await start();
  const [{ state }, other] = [await client.get(once), await client.get(again)];
  expect([state, other.state]).toEqual([ExecutionState.UNKNOWN, ExecutionState.UNKNOWN]);
  probes.release('again');
  expect((await client.execute({ ...again, epoch: 2n }, 'again')).text).toBe('again: 2');
});
