import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BusyPolicy, SpanwiseClient, SpanwiseError } from '@spanwise/client';
import { type AgentEvent, SpanKind } from '@spanwise/contracts/spanwise/event/v1/event';
import { RunStatus, type Span } from '@spanwise/contracts/spanwise/session/v1/session';
import { Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import type { EmbeddedStackOptions } from '@spanwise/dev-stack';
import { type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asked, delegationModel, writeAgents } from './delegation-model.ts';
import { answerText, follow, seqs } from './follow.ts';
import { EmbeddedHost, KilledHost } from './properties/stack-host.ts';
import { brokenRules } from './well-formed.ts';

let dataDir: string;
let model: ScriptedModel;
let host: KilledHost;
let env: EmbeddedStackOptions['env'];
let client: SpanwiseClient;
/** Tasks whose second answer waits until the test lets them go on. */
const gates = new Map<string, PromiseWithResolvers<void>>();

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'spanwise-delegation-'));
  const agentsDir = join(dataDir, 'agents');
  mkdirSync(agentsDir);
  writeAgents(agentsDir);
  model = await startScriptedModel(delegationModel(async (task) => gates.get(task)?.promise));
  env = {
    SPANWISE_MODEL_BASE_URL: model.baseUrl,
    OPENAI_API_KEY: 'none',
    SPANWISE_LOG_LEVEL: 'error',
    SPANWISE_AGENTS_DIR: agentsDir,
  };
  host = await KilledHost.start({ dataDir, env });
  client = new SpanwiseClient({ baseUrl: host.url, uid: 'alice' });
}, 60_000);
beforeEach(() => gates.clear());
afterEach(() => expect(model.violations).toEqual([]));
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

function gate(task: string): () => void {
  const made = Promise.withResolvers<void>();
  gates.set(task, made);
  return made.resolve;
}

/** What models were asked since a moment, in order. */
function askedSince(count: number): readonly string[] {
  return model.requests.slice(count).map(asked);
}

/** Resolves when a model is asked this. */
async function untilAsked(question: string): Promise<void> {
  while (!model.requests.some((request) => asked(request) === question)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The delegate calls of the main dialogue, by task. */
function delegated(events: readonly AgentEvent[]): ReadonlyMap<string, string> {
  return new Map(
    events.flatMap(({ data, threadId }) => {
      const isOuter = data.case === 'toolCallEnd' && threadId === '';
      return isOuter ? [[(JSON.parse(data.value.argumentsJson) as { task: string }).task, data.value.callId]] : [];
    }),
  );
}

/** Turns and calls of tools, each further in than what it belongs to. */
function treeOf(spans: readonly Span[]): readonly string[] {
  const children = Map.groupBy(spans, ({ span }) => span?.par ?? '');
  const linesBelow = (parent: string, depth: number): string[] =>
    (children.get(parent) ?? []).flatMap(({ span, name, kind }) => {
      const isShown = kind === SpanKind.TURN || kind === SpanKind.TOOL;
      const below = linesBelow(span?.id ?? '', depth + 1);
      return isShown ? [`${'  '.repeat(depth)}${name}`, ...below] : below;
    });
  return linesBelow('', 0);
}

async function rolesOf(sessionId: string, threadId = ''): Promise<readonly Role[]> {
  const { messages } = await client.sessions.listMessages({ sessionId, threadId });
  expect(messages.map((message) => message.threadId)).toEqual(messages.map(() => threadId));
  return messages.map(({ role }) => role);
}

const wholeThread = [Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT];

describe('a run that delegates', () => {
  test('goes on with what its agents say, though one of them asks the user', async () => {
    const session = await client.createSession();
    const input = 'write /workspace/a.txt; ask Which color?';
    const request = { sessionId: session.id, input, requestId: 'r' };
    const before = await Array.fromAsync(client.run(request));
    const waiting = before.at(-1)?.data;
    const interrupts = waiting?.case === 'runWaiting' ? waiting.value.interrupts : [];
    expect(interrupts).toMatchObject([{ message: expect.stringContaining('Which color?') }]);
    const threads = delegated(before);
    const asking = before.find(({ data }) => data.case === 'interrupt');
    expect(asking?.threadId).toBe(threads.get('ask Which color?'));
    expect(await rolesOf(session.id, threads.get('write /workspace/a.txt'))).toEqual(wholeThread);

    const runId = before[0]?.runId ?? '';
    await client.answer(session.id, runId, interrupts[0]?.id ?? '', { answers: ['blue'] });
    const after = await Array.fromAsync(client.run({ ...request, afterSeq: before.at(-1)?.seq ?? 0n }));
    const events = [...before, ...after];
    expect(brokenRules(events)).toEqual([]);
    expect(seqs(events)).toEqual(Array.from({ length: seqs(events).length }, (_, n) => n + 1));
    // Of the main dialogue alone.
    expect(answerText(events)).toMatch(
      /^I have that done\.They said: write \/workspace\/a\.txt: .* \| ask Which color\?: .*blue/s,
    );
    expect(events.at(-1)?.data.case).toBe('runEnd');

    expect(await rolesOf(session.id)).toEqual(wholeThread);
    expect(await rolesOf(session.id, threads.get('ask Which color?'))).toEqual(wholeThread);
    expect(await rolesOf(session.id, crypto.randomUUID())).toEqual([]);
    const { run } = await client.sessions.getRun({ sessionId: session.id, runId });
    const used = events.flatMap(({ data }) => (data.case === 'usage' ? [data.value.usage?.inputTokens ?? 0n] : []));
    expect(used).toHaveLength(6);
    expect(run?.usage?.inputTokens).toBe(used.reduce((sum, each) => sum + each, 0n));
  });

  test('has the spans of its agents below those of their calls, and none is left open', async () => {
    const session = await client.createSession();
    const followed = follow(client, session.id, 'write /workspace/a.txt; on read /library/readme.md');
    await followed.done;
    const { id: runId } = await followed.run;
    const { spans } = await client.sessions.listSpans({ sessionId: session.id, runId, pageSize: 200 });
    expect(spans.filter(({ endTime }) => endTime === undefined)).toEqual([]);
    const names = treeOf(spans);
    const worker = ['      turn 1', '        execute_tool write', '      turn 2'];
    const inner = ['          turn 1', '            execute_tool read', '          turn 2'];
    const deep = ['      turn 1', '        execute_tool delegate', ...inner, '      turn 2'];
    const delegates = ['    execute_tool delegate', ...worker, '    execute_tool delegate', ...deep];
    expect(names).toEqual(['  turn 1', ...delegates, '  turn 2']);
    const reader = followed.events.find(({ data }) => data.case === 'toolCallStart' && data.value.tool === 'read');
    expect(await rolesOf(session.id, reader?.threadId)).toEqual(wholeThread);
  });

  test('is cancelled with all of its agents, and leaves dialogues that are complete', async () => {
    const session = await client.createSession();
    const goOn = [gate('write /workspace/b.txt'), gate('read /library/readme.md')];
    const followed = follow(client, session.id, 'write /workspace/b.txt; read /library/readme.md');
    await untilAsked('worker: write /workspace/b.txt, turn 2');
    await untilAsked('worker: read /library/readme.md, turn 2');
    const { run, receipt } = await client.stop(session.id);
    goOn.forEach((open) => open());
    await followed.done;
    expect(run?.status).toBe(RunStatus.CANCELLED);
    expect(receipt.filter(({ name }) => name === 'execute_tool delegate')).toHaveLength(2);
    expect(brokenRules(followed.events)).toEqual([]);
    const outer = [...delegated(followed.events).values()];
    const outcomes = followed.events.flatMap(({ data }) =>
      data.case === 'toolResult' && outer.includes(data.value.callId) ? [data.value.outcome] : [],
    );
    expect(outcomes).toEqual([ToolOutcome.CANCELLED, ToolOutcome.CANCELLED]);
    for (const threadId of outer) {
      expect(await rolesOf(session.id, threadId)).toEqual(wholeThread.slice(0, 3));
    }
    const next = follow(client, session.id, 'still there?');
    await next.done;
    expect(answerText(next.events)).toBe('You said: still there?');
  });

  test('is rolled back with the dialogues of its agents', async () => {
    const session = await client.createSession();
    const goOn = gate('write /workspace/c.txt');
    const followed = follow(client, session.id, 'write /workspace/c.txt; read /library/readme.md');
    await untilAsked('worker: write /workspace/c.txt, turn 2');
    const request = { sessionId: session.id, input: 'instead', busyPolicy: BusyPolicy.ROLLBACK };
    const instead = await Array.fromAsync(client.run(request));
    goOn();
    await followed.done;
    expect(followed.events.slice(-2).map(({ data }) => data.case)).toEqual(['runRolledBack', 'runEnd']);
    expect(answerText(instead)).toBe('You said: instead');
    expect(await rolesOf(session.id)).toEqual([Role.USER, Role.ASSISTANT]);
    for (const threadId of delegated(followed.events).values()) {
      expect(await rolesOf(session.id, threadId)).toEqual([]);
    }
  });

  test('shows the dialogues of its agents to its owner alone', async () => {
    const session = await client.createSession();
    const followed = follow(client, session.id, 'read /library/readme.md; read /library/none.md');
    await followed.done;
    const [threadId = ''] = delegated(followed.events).values();
    const bob = new SpanwiseClient({ baseUrl: host.url, uid: 'bob' });
    const refused = await bob.sessions
      .listMessages({ sessionId: session.id, threadId })
      .catch((error: unknown) => SpanwiseError.from(error));
    expect(refused).toMatchObject({ reason: 'SESSION_NOT_FOUND' });
  });
});

test('a run whose process is killed goes on with its agents where they were, and does nothing twice', async () => {
  const session = await client.createSession();
  const tasks = [
    'write /workspace/one.txt',
    'on write /workspace/two.txt',
    'read /library/readme.md',
    'ask Which size?',
  ];
  const goOn = [gate(tasks[0] ?? ''), gate('write /workspace/two.txt')];
  const input = tasks.join('; ');
  const followed = follow(client, session.id, input, 'r');
  await untilAsked(`worker: ${tasks[0]}, turn 2`);
  await untilAsked('worker: write /workspace/two.txt, turn 2');
  await followed.saw('interrupt');
  // The reader is done by then.
  while (!followed.events.some(({ data, threadId }) => data.case === 'toolResult' && threadId === '')) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const before = model.requests.length;
  await host.restart();
  goOn.forEach((open) => open());
  await followed.done;
  const waiting = followed.events.at(-1)?.data;
  const [interrupt] = waiting?.case === 'runWaiting' ? waiting.value.interrupts : [];
  await client.answer(session.id, followed.events[0]?.runId ?? '', interrupt?.id ?? '', { answers: ['large'] });
  const rest = follow(client, session.id, input, { requestId: 'r', afterSeq: followed.events.at(-1)?.seq ?? 0n });
  await rest.done;
  const events = [...followed.events, ...rest.events];
  expect(brokenRules(events)).toEqual([]);
  expect(events.filter(({ data }) => data.case === 'interrupt')).toHaveLength(1);
  expect(events.filter(({ data }) => data.case === 'runAttempt')).toHaveLength(2);
  expect(events.at(-1)?.data).toMatchObject({ case: 'runEnd', value: { outcome: 1 } });
  expect(answerText(events)).toMatch(
    /They said: write \/workspace\/one\.txt: .* \| on write .* \| read .* \| ask .*large/s,
  );
  expect(askedSince(before).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    `default: ${input}, turn 2`,
    `worker: ${tasks[3]}, turn 2`,
    `worker: ${tasks[1]}, turn 2`,
    `worker: ${tasks[0]}, turn 2`,
    'worker: write /workspace/two.txt, turn 2',
  ]);
  const threads = [...delegated(events).values()];
  for (const threadId of ['', ...threads]) {
    expect(await rolesOf(session.id, threadId)).toEqual(wholeThread);
  }
  const calls = events.flatMap(({ data }) => (data.case === 'toolCallStart' ? [data.value.tool] : []));
  expect(calls.filter((tool) => tool === 'write')).toHaveLength(2);
  const begun = events.flatMap(({ data }) => (data.case === 'spanStart' ? [data.value.name] : []));
  expect(begun.filter((name) => name === 'execute_tool write')).toHaveLength(2);
}, 60_000);

test('a run whose process stops goes on with its agents in the next one', async () => {
  const own = mkdtempSync(join(tmpdir(), 'spanwise-delegation-'));
  await using resources = new AsyncDisposableStack();
  resources.defer(() => rmSync(own, { recursive: true, force: true }));
  const leaving = resources.use(await EmbeddedHost.start({ dataDir: own, env }));
  const there = new SpanwiseClient({ baseUrl: leaving.url, uid: 'alice' });
  const session = await there.createSession();
  const goOn = gate('on read /library/other.md');
  const followed = follow(there, session.id, 'on read /library/other.md; write /workspace/a.txt');
  await untilAsked('worker: on read /library/other.md, turn 2');
  const restarting = leaving.restart();
  await new Promise((resolve) => setTimeout(resolve, 300));
  goOn();
  await restarting;
  await followed.done;
  expect(brokenRules(followed.events)).toEqual([]);
  expect(followed.events.filter(({ data }) => data.case === 'runAttempt').length).toBeLessThanOrEqual(1);
  expect(answerText(followed.events)).toMatch(/They said: on read .* \| write \/workspace\/a\.txt: /s);
  const asks = model.requests.map(asked).filter((each) => each === 'worker: on read /library/other.md, turn 1');
  expect(asks, 'what was answered is not asked again').toHaveLength(1);
}, 60_000);
