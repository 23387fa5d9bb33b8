import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { type Approval, InterruptKind, SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { brandId, randomIds, type Uid } from '@spanwise/kernel';
import { callOptions, createInternalTransport } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import { type ModelReply, type ModelRequest, type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-work-on-code-'));
const telemetry = new Telemetry({ service: 'test', env: {} });
let model: ScriptedModel;
let stack: EmbeddedStack;
let client: SpanwiseClient;

const project = {
  'src/total.sh':
    '# Adds up the numbers of a file, one a line.\ntotal=0\nwhile read -r n; do total=$((total - n)); done < "$1"\necho "$total"\n',
  'test/numbers.txt': '1\n2\n39\n',
  'test/run.sh':
    'got=$(bash src/total.sh test/numbers.txt)\nif [ "$got" = 42 ]; then echo "PASS"; else echo "FAIL: $got"; exit 1; fi\n',
};

type Call = readonly [tool: string, input: object];

/** What the agent does, turn by turn. */
const plan: readonly (readonly Call[])[] = [
  [
    ['ls', { path: '/workspace' }],
    ['grep', { pattern: 'total', path: '/workspace' }],
  ],
  [['bash', { command: 'bash test/run.sh' }]],
  [['read', { path: 'src/total.sh' }]],
  [['edit', { path: 'src/total.sh', old_text: 'total - n', new_text: 'total + n' }]],
  [['web_fetch', { url: 'http://169.254.169.254/latest/meta-data/' }]],
  [['bash', { command: 'curl -s http://127.0.0.1:1/ || echo "no network: $?"' }]],
  [['bash', { command: 'bash test/run.sh | tee report.txt' }]],
  [['write', { path: '/workspace/summary.md', content: '# Fixed\n\nIt subtracted. Tests pass.\n' }]],
];

/** Plays the plan, whatever the results are. */
function planner({ messages }: ModelRequest): ModelReply {
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
  const calls = plan[turn.filter(({ role }) => role === 'assistant').length];
  return calls === undefined
    ? { text: 'Fixed: it subtracted.' }
    : { toolCalls: calls.map(([tool, input]) => ({ tool, input })) };
}

const start = () =>
  startEmbeddedStack({
    dataDir,
    env: { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'error' },
  });

beforeAll(async () => {
  model = await startScriptedModel(planner);
  stack = await start();
  client = new SpanwiseClient({ baseUrl: stack.urls.session, uid: 'alice' });
}, 30_000);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  await telemetry[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Stops every service, and starts all of them on the same data. */
async function restartEverything(): Promise<void> {
  await stack[Symbol.asyncDispose]();
  stack = await start();
  client = new SpanwiseClient({ baseUrl: stack.urls.session, uid: 'alice' });
}

/** A view of a session's files for its owner, outside of runs. */
async function ownView(sessionId: string) {
  const files = createClient(FileSystemService, createInternalTransport({ baseUrl: stack.urls.filesystem, telemetry }));
  const viewId = randomIds().uuid();
  const options = callOptions({ identity: { uid: brandId<Uid>('alice'), email: '', token: '' } });
  await files.openView({ viewId, sessionId }, options);
  return {
    write: (path: string, text: string) => files.write({ viewId, path, data: new TextEncoder().encode(text) }, options),
    text: async (path: string) => new TextDecoder().decode((await files.read({ viewId, path }, options)).data),
  };
}

interface ToldResult {
  readonly tool: string;
  readonly outcome: ToolOutcome;
  readonly code: string;
  readonly text: string;
}

/** Results of calls, in the order in which they came. */
function resultsOf(events: readonly AgentEvent[]): readonly ToldResult[] {
  const tools = new Map<string, string>();
  const results: ToldResult[] = [];
  for (const { data } of events) {
    if (data.case === 'toolCallStart') {
      tools.set(data.value.callId, data.value.tool);
    } else if (data.case === 'toolResult') {
      const { callId, outcome, code, content } = data.value;
      const text = content.map((part) => part.content.value ?? '').join('');
      results.push({ tool: tools.get(callId) ?? '', outcome, code, text });
    }
  }
  return results;
}

const nameOf = (outcome: ToolOutcome) => Object.entries(ToolOutcome).find(([, value]) => value === outcome)?.[0];

test('an agent works on a small code base, asks before it runs commands, over restarts, and leaves its outputs', async () => {
  const rules = { allow: ['web_fetch'], ask: [], deny: [] };
  const session = await client.createSession('code', crypto.randomUUID(), rules);
  const view = await ownView(session.id);
  for (const [path, text] of Object.entries(project)) {
    await view.write(`/workspace/${path}`, text);
  }
  const request = { sessionId: session.id, input: 'The tests fail. Fix it.', requestId: 'fix' };
  const events: AgentEvent[] = [];
  const approvals: Approval[] = [];
  for (let rounds = 0; events.at(-1)?.data.case !== 'runEnd' && rounds < 10; rounds += 1) {
    for await (const event of client.run({ ...request, afterSeq: events.findLast(({ seq }) => seq > 0n)?.seq ?? 0n })) {
      events.push(event);
    }
    const last = events.at(-1);
    const interrupts = last?.data.case === 'runWaiting' ? last.data.value.interrupts : [];
    for (const { id, kind, approval } of interrupts) {
      expect(kind).toBe(InterruptKind.APPROVAL);
      approvals.push(approval ?? expect.fail('nothing is to be approved'));
      if (approvals.length === 1) {
        await restartEverything();
      }
      await client.approve(session.id, last?.runId ?? '', id);
    }
  }
  expect(events.at(-1)?.data.case).toBe('runEnd');
  expect(approvals.map(({ tool, targets }) => `${tool}: ${targets.join()}`)).toEqual(
    plan
      .flat()
      .flatMap(([tool, input]) => (tool === 'bash' && 'command' in input ? [`bash: ${String(input.command)}`] : [])),
  );

  const results = resultsOf(events);
  expect(results.map(({ tool, outcome, code }) => `${tool} ${nameOf(outcome)} ${code}`.trim())).toEqual([
    ...['ls OK', 'grep OK', 'bash ERROR COMMAND_FAILED', 'read OK', 'edit OK', 'web_fetch ERROR EGRESS_REFUSED'],
    ...['bash OK', 'bash OK', 'write OK'],
  ]);
  expect(results[2]?.text).toContain('FAIL: -42');
  expect(results[6]?.text).toContain('no network');
  expect(results[7]?.text).toContain('PASS');
  const outputs = events.flatMap(({ data }) => (data.case === 'outputFile' ? [data.value.path] : []));
  expect(outputs.toSorted()).toEqual(['/workspace/report.txt', '/workspace/src/total.sh', '/workspace/summary.md']);
  const after = await ownView(session.id);
  expect(await after.text('/workspace/report.txt')).toContain('PASS');
  expect(await after.text('/workspace/src/total.sh')).toContain('total + n');
  expect(model.violations).toEqual([]);

  const { spans } = await client.sessions.listSpans({
    sessionId: session.id,
    runId: events[0]?.runId ?? '',
    pageSize: 200,
  });
  const executed = spans.filter(({ name }) => name.startsWith('execute_tool'));
  // Each call that asked was looked at once to ask, and once to be executed.
  expect(executed.filter(({ name }) => name === 'execute_tool bash')).toHaveLength(2 * approvals.length);
  expect(spans.filter(({ endTime }) => endTime === undefined)).toEqual([]);
}, 120_000);
