import type { SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { CancelResult, RunStatus, StopOutcome } from '@spanwise/contracts/spanwise/session/v1/session';
import type { DistributedStack } from '@spanwise/dev-stack';
import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerText, follow, seqs } from './follow.ts';
import { type ReplicaPair, startReplicaPair } from './replica-pair.ts';
import { longText } from './scripts.ts';
import { brokenRules } from './well-formed.ts';

/** A fifth of the production timers. */
const timers = {
  SPANWISE_LEASE_MS: '3000',
  SPANWISE_LEASE_RENEW_MS: '600',
  SPANWISE_TAKE_OVER_MS: '400',
  SPANWISE_CANCEL_POLL_MS: '200',
  SPANWISE_LOG_POLL_MS: '200',
};

describe.skipIf(mysqlServerUrl === undefined)('a run on two replicas', () => {
  let pair: ReplicaPair;
  let stack: DistributedStack;
  let here: SpanwiseClient;
  let there: SpanwiseClient;

  beforeAll(async () => {
    pair = await startReplicaPair({ name: 'survive', deltaMs: 8, env: timers });
    ({ stack, here, there } = pair);
  }, 90_000);
  afterEach(async () => {
    // Each test begins with all processes.
    const processes = [...stack.sessions, ...stack.runtimes];
    const dead = processes.filter(({ child }) => child.exitCode !== null || child.signalCode !== null);
    await Promise.all(dead.map((process) => process.restart()));
  }, 60_000);
  afterAll(() => pair[Symbol.asyncDispose](), 60_000);

  const kill = (process: DistributedStack['sessions'][number] | undefined) => process?.child.kill('SIGKILL');

  /** Watches a session at one replica until its run is over. */
  function watch(client: SpanwiseClient, sessionId: string) {
    const stop = new AbortController();
    const events: AgentEvent[] = [];
    const done = (async () => {
      for await (const event of client.watch({ sessionId }, { signal: stop.signal })) {
        events.push(event);
        if (event.data.case === 'runEnd' || event.data.case === 'runError') {
          stop.abort();
        }
      }
    })();
    return { events, done };
  }

  const attempts = (events: readonly AgentEvent[]) =>
    events.flatMap(({ data }) => (data.case === 'runAttempt' ? [data.value] : []));

  test('goes on at the other one when its driver is killed, and the client sees each event once', async () => {
    const session = await here.createSession();
    const followed = follow(here, session.id, 'long');
    followed.done.catch(() => undefined);
    await followed.saw('textDelta');
    const watched = watch(there, session.id);
    kill(stack.sessions[0]);
    await watched.done;
    expect(attempts(watched.events)).toMatchObject([{ attempt: 2 }]);
    expect(brokenRules(watched.events)).toEqual([]);
    expect(answerText(watched.events)).toBe(longText);
    const { events } = await there.sessions.listEvents({ sessionId: session.id, pageSize: 200 });
    expect(seqs(watched.events)).toEqual(seqs(events));
  });

  test('is dispatched again when its executor is killed, in the same stream', async () => {
    const session = await here.createSession();
    const followed = follow(here, session.id, 'long');
    await followed.saw('textDelta');
    kill(stack.runtimes[0]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await stack.runtimes[0]?.restart();
    await followed.done;
    expect(attempts(followed.events)).toMatchObject([{ attempt: 2 }]);
    expect(brokenRules(followed.events)).toEqual([]);
    expect(answerText(followed.events)).toBe(longText);
  });

  test('is handed over when its driver shuts down, and the client is handed off', async () => {
    const session = await here.createSession();
    const followed = follow(there, session.id, 'long');
    followed.done.catch(() => undefined);
    await followed.saw('textDelta');
    stack.sessions[1]?.child.kill('SIGTERM');
    const watched = watch(here, session.id);
    await watched.done;
    expect(watched.events.at(-1)?.data.case).toBe('runEnd');
    expect(attempts(watched.events).length).toBeLessThanOrEqual(1);
    expect(answerText(watched.events)).toBe(longText);
    await stack.sessions[1]?.restart();
  });

  test('waits for its user over the end of every process, and goes on with the answer', async () => {
    const session = await here.createSession();
    const question = JSON.stringify({ questions: [{ question: 'Which color?', options: ['red', 'blue'] }] });
    const request = { sessionId: session.id, input: `call ask_user ${question}`, requestId: 'r' };
    const before = await Array.fromAsync(here.run(request));
    const waiting = before.at(-1)?.data;
    expect(waiting?.case).toBe('runWaiting');
    const [interrupt] = waiting?.case === 'runWaiting' ? waiting.value.interrupts : [];
    expect(interrupt).toMatchObject({ message: expect.stringContaining('Which color?') });
    await stack.sessions[0]?.restart();
    await stack.toolHost.restart();
    const runId = before[0]?.runId ?? '';
    const { run: asked } = await there.sessions.getRun({ sessionId: session.id, runId });
    expect(asked).toMatchObject({ status: RunStatus.WAITING, interrupts: [{ id: interrupt?.id }] });
    await there.answer(session.id, runId, interrupt?.id ?? '', { answers: ['blue'] });
    const after = await Array.fromAsync(there.run({ ...request, afterSeq: before.at(-1)?.seq ?? 0n }));
    expect(after.map(({ data }) => data.case)).toEqual(
      expect.arrayContaining(['interruptAnswered', 'runAttempt', 'toolResult', 'runEnd']),
    );
    const result = after.find(({ data }) => data.case === 'toolResult')?.data.value;
    expect(JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? String(value) : value))).toContain('blue');
    expect(brokenRules([...before, ...after])).toEqual([]);
  });

  test('is stopped from the other replica with a receipt of what was going on', async () => {
    const session = await here.createSession();
    const followed = follow(here, session.id, 'long');
    await followed.saw('textDelta');
    const { result, run, receipt } = await there.stop(session.id);
    expect([result, run?.status]).toEqual([CancelResult.ACCEPTED, RunStatus.CANCELLED]);
    expect(receipt.map(({ name, outcome }) => [name.split(' ')[0], outcome])).toEqual(
      expect.arrayContaining([
        ['chat', StopOutcome.STOPPED],
        ['turn', StopOutcome.STOPPED],
      ]),
    );
    await followed.done;
    expect(followed.events.at(-1)?.data.case).toBe('runEnd');
  });
});
