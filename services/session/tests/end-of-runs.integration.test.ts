import { setTimeout as delay } from 'node:timers/promises';
import { create, fromBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { AgentErrorSchema, ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { type AgentEvent, RunOutcome } from '@spanwise/contracts/spanwise/event/v1/event';
import { YieldReason } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { CancelResult, RunStatus, SessionStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { MessageSchema, Role, TokenUsageSchema, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { DomainError } from '@spanwise/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assistantRow, blockDelta, blockStart, called, committed, toolResult } from './doubles/runtime-server.ts';
import { casesOf, failing, input, readRun, type SessionServer, startSessionServer } from './doubles/session-server.ts';

let server: SessionServer;
beforeAll(async () => {
  // Each test plays its own runs.
  server = await startSessionServer(() => Promise.resolve());
});
afterAll(() => server[Symbol.asyncDispose]());

/** A run that is dispatched, its stream, and the executor that the test plays. */
async function dispatched(sessionId: string, more: object = {}) {
  const index = server.runtime.runs.length;
  const stream = readRun(server.alice.runSession({ sessionId, input: input(), ...more }));
  stream.catch(() => undefined);
  const played = await server.runtime.run(index);
  const { runId } = await played.started.promise;
  return { stream, played, runId };
}

/** Waits for an event to be in the log. */
async function stored(sessionId: string, name: string): Promise<void> {
  while (server.sql('select seq from ui_events where session_id = ? and type = ?', sessionId, name).length === 0) {
    await delay(5);
  }
}

async function expectNextRun(sessionId: string): Promise<void> {
  const { stream, played } = await dispatched(sessionId);
  played.finish();
  expect(casesOf((await stream).events).at(-1)).toBe('runEnd');
}

const terminals = (events: readonly AgentEvent[]) =>
  casesOf(events).filter((name) => name === 'runEnd' || name === 'runError');

describe('CancelRun', () => {
  test('reaches the runtime, ends the run once as cancelled, and frees the session', async () => {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await dispatched(sessionId);
    const { result, run } = await server.alice.cancelRun({ sessionId, runId, reason: 'enough' });
    expect(result).toBe(CancelResult.ACCEPTED);
    expect(run).toMatchObject({ id: runId, status: RunStatus.RUNNING, cancelRequested: true });
    expect(await played.aborted.promise).toBe('cancelled');
    played.finish({ case: 'aborted', value: {} });
    const { events } = await stream;
    expect(terminals(events)).toEqual(['runEnd']);
    expect(events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.CANCELLED, finishReason: 5 });
    expect(await server.alice.cancelRun({ sessionId, runId })).toMatchObject({
      result: CancelResult.ALREADY_ENDED,
      run: { status: RunStatus.CANCELLED, cancelRequested: true, finishReason: 5 },
    });
    await expectNextRun(sessionId);
  });

  test('wins over a completion that comes after it', async () => {
    const sessionId = await server.newSession();
    const { stream, played } = await dispatched(sessionId);
    await server.alice.cancelRun({ sessionId });
    played.finish();
    expect((await stream).events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.CANCELLED });
  });

  test('by another replica is noticed by looking at the database', async () => {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await dispatched(sessionId);
    server.sql('update runs set cancel_requested_at = 1, cancel_reason = ? where id = ?', 'elsewhere', runId);
    expect(await played.aborted.promise).toBe('cancelled');
    played.finish({ case: 'aborted', value: {} });
    expect(terminals((await stream).events)).toEqual(['runEnd']);
  });

  test('that is announced on the bus reaches the executor', async () => {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await dispatched(sessionId);
    expect(await server.bus.request({ runId, traceparent: '' })).toBe(true);
    expect(await played.aborted.promise).toBe('cancelled');
    // The announcement alone cancels nothing: the flag is what counts.
    played.finish();
    expect((await stream).events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.COMPLETED });
    expect(await server.bus.request({ runId, traceparent: '' })).toBe(false);
  });

  test('twenty times at random moments leaves one end of each run and a free session', async () => {
    for (let n = 0; n < 20; n += 1) {
      const sessionId = await server.newSession();
      const { stream, played } = await dispatched(sessionId);
      const answering = played
        .answer('text')
        .then(() => played.finish())
        .catch(() => undefined);
      await delay(Math.random() * 4);
      const { result, run } = await server.alice.cancelRun({ sessionId, runId: (await played.started.promise).runId });
      await answering;
      const { events } = await stream;
      const isCancelled = result === CancelResult.ACCEPTED;
      expect(terminals(events)).toEqual(['runEnd']);
      expect(events.at(-1)?.data.value).toMatchObject({
        outcome: isCancelled ? RunOutcome.CANCELLED : RunOutcome.COMPLETED,
      });
      expect(run?.cancelRequested).toBe(isCancelled);
    }
  });
});

describe('a runtime that dies', () => {
  test('in the middle of a text is replaced, and what it had said of the message is void', async () => {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await dispatched(sessionId);
    played.say(blockStart('b', 'm'), blockDelta('b', 0, 'Grü'), blockDelta('b', 4, 'ße'));
    await stored(sessionId, 'textStart');
    const index = server.runtime.runs.length;
    server.runtime.kill();
    const next = await server.runtime.run(index);
    expect(await next.started.promise).toMatchObject({ runId, epoch: 2n, attempt: 2 });
    expect(server.fences.fences).toContainEqual({ sessionId, epoch: 2n, stop: false });
    next.finish();
    const { events } = await stream;
    const durable = casesOf(events.filter(({ seq }) => seq > 0n));
    expect(durable.filter((name) => name !== 'textDelta')).toEqual([
      ...['runStart', 'spanStart', 'message', 'textStart', 'runAttempt', 'spanEnd', 'runEnd'],
    ]);
    const { run } = await server.alice.getRun({ sessionId, runId });
    expect(run).toMatchObject({ status: RunStatus.COMPLETED, attempt: 2 });
    expect((await server.alice.getSession({ sessionId })).session).toMatchObject({ status: SessionStatus.IDLE });
    await expectNextRun(sessionId);
  });

  test('after it asked for calls tells the next one which are answered', async () => {
    const sessionId = await server.newSession();
    const { stream, played } = await dispatched(sessionId);
    const root = (await played.started.promise).span?.span?.id ?? '';
    const beginTime = timestampFromMs(Date.now() - 5000);
    played.say({
      span: { id: '00000000000000a1', par: root },
      time: beginTime,
      data: { case: 'spanStart', value: {} },
    });
    const part = (callId: string) => ({
      part: { case: 'toolCall' as const, value: { callId, tool: 'shell', argumentsJson: '{}' } },
    });
    await played.checkpoint(
      [called('c1', 'm'), called('c2', 'm'), committed('m', Role.ASSISTANT)],
      [assistantRow('m', part('c1'), part('c2'))],
    );
    played.say(toolResult('c1', 'one'));
    await stored(sessionId, 'toolResult');
    const index = server.runtime.runs.length;
    server.runtime.kill();
    const next = await server.runtime.run(index);
    const start = await next.started.promise;
    expect(start.results).toMatchObject([{ callId: 'c1', outcome: ToolOutcome.OK }]);
    expect([(await played.started.promise).beginTime, start.beginTime]).toEqual([undefined, beginTime]);
    expect(next.history.map((bytes) => fromBinary(MessageSchema, bytes).role)).toEqual([Role.USER, Role.ASSISTANT]);
    // One that fails now leaves every call answered.
    next.finish({ case: 'failed', value: create(AgentErrorSchema, { code: 13, reason: ErrorReason.INTERNAL }) });
    const { events } = await stream;
    const results = events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value] : []));
    expect(results.map(({ callId, outcome }) => [callId, outcome])).toEqual([
      ['c1', ToolOutcome.OK],
      ['c2', ToolOutcome.UNKNOWN],
    ]);
    const { messages } = await server.alice.listMessages({ sessionId });
    expect(messages.map(({ role, seq }) => [role, seq])).toEqual([
      [Role.USER, 1n],
      [Role.ASSISTANT, 2n],
      [Role.TOOL, 3n],
    ]);
    await expectNextRun(sessionId);
  });

  test('while its run is being cancelled leaves it cancelled', async () => {
    const sessionId = await server.newSession();
    const { stream, played } = await dispatched(sessionId);
    await server.alice.cancelRun({ sessionId });
    await played.aborted.promise;
    server.runtime.kill();
    expect((await stream).events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.CANCELLED });
  });
});

describe('what a run ends with', () => {
  test('is told by the stream and kept on the run: usage', async () => {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await dispatched(sessionId);
    const usage = create(TokenUsageSchema, { inputTokens: 2n ** 40n, outputTokens: 7n, estimated: true });
    played.responses.push({ frame: { case: 'finish', value: { outcome: { case: 'completed', value: 2 }, usage } } });
    expect((await stream).events.at(-1)?.data.value).toMatchObject({
      outcome: RunOutcome.COMPLETED,
      finishReason: 2,
      usage,
    });
    expect((await server.alice.getRun({ sessionId, runId })).run).toMatchObject({ finishReason: 2, usage });
    expect((await server.alice.listRuns({ sessionId })).runs).toMatchObject([{ id: runId, usage }]);
  });

  test('is told by the stream and kept on the run: an error', async () => {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await dispatched(sessionId);
    const facts = { code: 8, reason: ErrorReason.MODEL_RATE_LIMITED, message: 'slow down', retryable: true };
    const error = create(AgentErrorSchema, { ...facts, retryAfter: { seconds: 30n } });
    played.finish({ case: 'failed', value: error });
    expect((await stream).events.at(-1)?.data.value).toMatchObject({ error });
    expect((await server.alice.getRun({ sessionId, runId })).run).toMatchObject({ status: RunStatus.FAILED, error });
  });

  test('is the reason with which the runtime refuses the dispatch', async () => {
    const sessionId = await server.newSession();
    const { stream, played } = await dispatched(sessionId);
    played.responses.fail(new DomainError('not-found', 'AGENT_NOT_FOUND', 'No such agent.'));
    const error = { code: 5, reason: ErrorReason.AGENT_NOT_FOUND, message: 'No such agent.', retryable: false };
    expect((await stream).events.at(-1)?.data.value).toMatchObject({ error });
  });
});

describe('DeleteSession', () => {
  test('with its active run cancels the run, and the session is gone at once', async () => {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await dispatched(sessionId);
    await server.alice.deleteSession({ sessionId, cancelActiveRun: true });
    expect(await played.aborted.promise).toBe('cancelled');
    played.finish({ case: 'aborted', value: {} });
    expect((await stream).events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.CANCELLED });
    expect(server.sql('select status from runs where id = ?', runId)).toEqual([{ status: 'CANCELLED' }]);
  });

  test('ends the streams of its watchers with NOT_FOUND, after the end of the run', async () => {
    const sessionId = await server.newSession();
    const { played } = await dispatched(sessionId);
    const told: AgentEvent[] = [];
    const watching = failing(
      (async () => {
        for await (const { events } of server.alice.watchSession({ sessionId })) {
          told.push(...events);
        }
      })(),
    );
    await server.alice.deleteSession({ sessionId, cancelActiveRun: true });
    await played.aborted.promise;
    played.finish({ case: 'aborted', value: {} });
    expect(await watching).toMatchObject({ code: Code.NotFound, reason: 'SESSION_NOT_FOUND' });
    expect(casesOf(told).at(-1)).toBe('runEnd');
  });
});

test('a service that shuts down lets go of its runs, for the next one', async () => {
  await using other = await startSessionServer(() => Promise.resolve());
  const sessionId = await other.newSession();
  const { run } = await other.alice.startRun({ sessionId, input: input() });
  const played = await other.runtime.run(0);
  await played.started.promise;
  const stopped = other.stopService(() => other.sql('select status, owner_id from runs where id = ?', run?.id ?? ''));
  await played.detached.promise;
  played.yield(YieldReason.DETACHED);
  expect(await stopped).toEqual([{ status: 'RUNNING', owner_id: null }]);
});
