import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import type { SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { StopOutcome } from '@spanwise/contracts/spanwise/session/v1/session';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import type { DistributedStack } from '@spanwise/dev-stack';
import { brandId, randomIds, type Uid } from '@spanwise/kernel';
import { callOptions, createInternalTransport } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { follow } from './follow.ts';
import { type ReplicaPair, startReplicaPair } from './replica-pair.ts';
import { brokenRules } from './well-formed.ts';

const timers = {
  SPANWISE_LEASE_MS: '3000',
  SPANWISE_LEASE_RENEW_MS: '600',
  SPANWISE_TAKE_OVER_MS: '400',
  SPANWISE_CANCEL_POLL_MS: '200',
};
const rules = { allow: ['bash'], ask: [], deny: [] };

describe.skipIf(mysqlServerUrl === undefined)('a command', () => {
  const telemetry = new Telemetry({ service: 'test', env: {} });
  let pair: ReplicaPair;
  let stack: DistributedStack;
  let here: SpanwiseClient;
  let there: SpanwiseClient;

  beforeAll(async () => {
    pair = await startReplicaPair({ name: 'commands', deltaMs: 0, env: timers });
    ({ stack, here, there } = pair);
  }, 90_000);
  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
    await telemetry[Symbol.asyncDispose]();
  }, 60_000);

  /** Has the agent run a command, which nobody is asked about. */
  async function running(command: string) {
    const session = await here.createSession('', crypto.randomUUID(), rules);
    return { session, run: follow(here, session.id, `call bash ${JSON.stringify({ command })}`) };
  }

  async function textOf(sessionId: string, path: string): Promise<string> {
    const transport = createInternalTransport({ baseUrl: stack.filesystem.url, telemetry });
    const files = createClient(FileSystemService, transport);
    const options = callOptions({ identity: { uid: brandId<Uid>('alice'), email: '', token: '' } });
    const viewId = randomIds().uuid();
    await files.openView({ viewId, sessionId }, options);
    const { data } = await files.read({ viewId, path }, options);
    transport[Symbol.dispose]();
    return new TextDecoder().decode(data);
  }

  const results = (events: readonly AgentEvent[]) =>
    events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value] : []));

  test('whose tool-host is killed is unknown, and is not run again', async () => {
    const { session, run } = await running('echo once >> /workspace/marks; echo begun; sleep 20');
    await run.saw('toolProgress');
    stack.toolHost.child.kill('SIGKILL');
    await delay(300);
    await stack.toolHost.restart();
    await run.done;
    expect(results(run.events)).toMatchObject([{ outcome: ToolOutcome.UNKNOWN }]);
    expect(run.events.at(-1)?.data.case).toBe('runEnd');
    expect(brokenRules(run.events)).toEqual([]);
    expect(await textOf(session.id, '/workspace/marks')).toBe('once\n');
  }, 60_000);

  test('is stopped with all that it has started when its run is cancelled: nothing happens after the receipt', async () => {
    const loop = 'while true; do echo tick >> /workspace/ticks; sleep 0.05; done';
    const { session, run } = await running(`echo begun; (${loop}) & ${loop}`);
    await run.saw('toolProgress');
    await delay(500);
    const beginMs = performance.now();
    const { receipt } = await there.stop(session.id);
    expect(performance.now() - beginMs).toBeLessThan(2000);
    const stopped = { name: 'execute_tool bash', outcome: StopOutcome.STOPPED };
    expect(receipt).toEqual(expect.arrayContaining([expect.objectContaining(stopped)]));
    await run.done;
    const ticks = await textOf(session.id, '/workspace/ticks');
    expect(ticks).toContain('tick\n');
    await delay(1000);
    expect(await textOf(session.id, '/workspace/ticks')).toBe(ticks);
    expect(brokenRules(run.events)).toEqual([]);
  }, 60_000);
});
