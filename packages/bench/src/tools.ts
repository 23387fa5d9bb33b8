import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@connectrpc/connect';
import { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { ToolOutcome, type ToolResultPart } from '@spanwise/contracts/spanwise/type/v1/message';
import { brandId, randomIds, type Uid } from '@spanwise/kernel';
import { callOptions, createInternalTransport } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import { cpuMs, residentMiB, startProgram } from './measured-process.ts';
import { median, percentile } from './statistics.ts';

const ids = randomIds();

/** Tool-host in a process of its own, called over gRPC on loopback as the runtime does. */
interface ToolBench {
  readonly child: ChildProcess;
  call(tool: string, input: object, policy?: ToolRules): Promise<ToolResultPart>;
}

type ToolRules = { readonly allow?: string[]; readonly ask?: string[] };

/** What calls of tools cost beyond what the tools do, what commands cost, and what becomes of floods. */
export async function measureTools(isSmoke: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-bench-tools-'));
  try {
    await measureAt(await startBench(folder, 'virtual'), isSmoke, 'virtual');
    const namespaced = await startBench(folder, 'namespaced');
    await measureCommands(namespaced, isSmoke, 'namespaced');
    namespaced.child.kill('SIGTERM');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startBench(folder: string, sandbox: string): Promise<ToolBench> {
  const { child, line } = await startProgram('./tools-process.ts', {
    ...process.env,
    SPANWISE_PORT: '0',
    SPANWISE_DATABASE_URL: `sqlite:${folder}/tools-${sandbox}.db`,
    BENCH_FILES_DATABASE: `sqlite:${folder}/files-${sandbox}.db`,
    SPANWISE_SANDBOX: sandbox,
    SPANWISE_LOG_LEVEL: 'error',
  });
  const telemetry = new Telemetry({ service: 'bench', env: {} });
  const client = createClient(ToolHostService, createInternalTransport({ baseUrl: line, telemetry }));
  const sessionId = randomUUID();
  const runId = randomUUID();
  return { child, call: (tool, input, policy) => callTool(client, { sessionId, runId }, tool, input, policy) };
}

async function callTool(
  client: Client<typeof ToolHostService>,
  scope: { readonly sessionId: string; readonly runId: string },
  tool: string,
  input: object,
  policy: ToolRules = { allow: ['*'] },
): Promise<ToolResultPart> {
  const span = { span: { id: ids.spanId(), par: '' }, traceId: ids.traceId(), traceFlags: 0 };
  const call = { ...scope, epoch: 1n, callId: ids.uuid(), tool, argumentsJson: JSON.stringify(input), span };
  const options = callOptions({ identity: { uid: brandId<Uid>('bench'), email: '', token: '' } });
  let answer: { readonly interruptId: string; readonly callId: string; readonly answerJson: string } | undefined;
  for (;;) {
    const request = { ...call, policy, interactive: true, ...(answer === undefined ? {} : { answer }) };
    let result: ToolResultPart | undefined;
    for await (const response of client.executeTool(request, options)) {
      result = response.result ?? result;
      const asked = response.suspended;
      answer = asked && { interruptId: asked.id, callId: call.callId, answerJson: '{"approved":true}' };
    }
    if (result !== undefined) {
      return result;
    }
  }
}

async function measureAt(bench: ToolBench, isSmoke: boolean, level: string): Promise<void> {
  const calls = isSmoke ? 20 : 1000;
  await bench.call('write', { path: 'a.txt', content: 'x'.repeat(1024) });
  for (const [name, tool, input, policy] of [
    ['a call that only reads', 'idle_read', {}],
    ['a call that the ledger keeps', 'idle_once', {}],
    ['the same, asked for and approved', 'idle_once', {}, { ask: ['*'] }],
    ['read of 1 KiB', 'read', { path: 'a.txt' }],
  ] as const) {
    await timed(bench, name, calls, () => bench.call(tool, input, policy && { ask: [...policy.ask] }));
  }
  const beginMs = performance.now();
  await Promise.all(Array.from({ length: calls }, () => bench.call('idle_read', {})));
  row(`${calls} calls at once`, `${(performance.now() - beginMs).toFixed(0)} ms in all`);
  await measureCommands(bench, isSmoke, level);
  bench.child.kill('SIGTERM');
}

async function measureCommands(bench: ToolBench, isSmoke: boolean, level: string): Promise<void> {
  const probe = await bench.call('bash', { command: 'true' });
  if (probe.outcome !== ToolOutcome.OK) {
    row(`${level}: commands`, `not on this machine (${probe.code})`);
    return;
  }
  await timed(bench, `${level}: bash true`, isSmoke ? 2 : 30, () => bench.call('bash', { command: 'true' }));
  const before = residentMiB(bench.child);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, residentMiB(bench.child));
  }, 20);
  const beginMs = performance.now();
  const command = "line=$(printf '%01000d' 0); for i in $(seq 100000); do echo $line; done";
  const { content } = await bench.call('bash', { command });
  clearInterval(watch);
  const shown = content.reduce((sum, { content: part }) => sum + (part.value?.length ?? 0), 0);
  const took = `${(performance.now() - beginMs).toFixed(0)} ms`;
  row(
    `${level}: 100 MB of output`,
    `${took}, ${(most - before).toFixed(0)} MiB more at most, ${shown} characters shown`,
  );
}

async function timed(bench: ToolBench, name: string, times: number, call: () => Promise<ToolResultPart>) {
  await call();
  const took: number[] = [];
  const cpuBefore = cpuMs(bench.child);
  for (let round = 0; round < times; round += 1) {
    const beginMs = performance.now();
    const { outcome, content } = await call();
    if (outcome !== ToolOutcome.OK) {
      throw new RangeError(`${name} failed: ${JSON.stringify(content)}`);
    }
    took.push(performance.now() - beginMs);
  }
  const cpu = (cpuMs(bench.child) - cpuBefore) / times;
  const wall = `p50 ${median(took).toFixed(2)} ms, p99 ${percentile(took, 99).toFixed(2)} ms`;
  row(name, `${wall}, ${cpu.toFixed(2)} ms of processor time`);
}

function row(name: string, figure: string): void {
  process.stdout.write(`${name.padEnd(44)} ${figure}\n`);
}
