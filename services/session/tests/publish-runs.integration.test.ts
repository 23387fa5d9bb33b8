import { setTimeout as delay } from 'node:timers/promises';
import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { RunOutcome, SpanKind } from '@spanwise/contracts/spanwise/event/v1/event';
import { LayerState } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { BusyPolicy, OnCancel, RunStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { Role } from '@spanwise/contracts/spanwise/type/v1/message';
import { DomainError } from '@spanwise/kernel';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { assistantRow, called, committed, toolResult } from './doubles/runtime-server.ts';
import { casesOf, input, readRun, type SessionServer, startSessionServer } from './doubles/session-server.ts';

let server: SessionServer;
beforeAll(async () => {
  server = await startSessionServer(() => Promise.resolve());
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.fences.layers.calls.length = 0;
  server.fences.layers.changedByOthers.clear();
  server.fences.layers.failure = undefined;
});

/** A run that has written files by one tool call, and the executor that the test plays. */
async function writingRun(sessionId: string, more: object = {}) {
  const index = server.runtime.runs.length;
  const stream = readRun(server.alice.runSession({ sessionId, input: input(), ...more }));
  stream.catch(() => undefined);
  const played = await server.runtime.run(index);
  const { runId, runLayer } = await played.started.promise;
  const part = { part: { case: 'toolCall' as const, value: { callId: 'c', tool: 'shell', argumentsJson: '{}' } } };
  await played.checkpoint([called('c', 'm'), committed('m', Role.ASSISTANT)], [assistantRow('m', part)]);
  server.fences.layers.write(sessionId, runId, '/out/a');
  played.say(toolResult('c', 'done'));
  return { stream, played, runId, runLayer };
}

const alicesCall = (call: string, viewId: string, epoch: bigint) => ({
  ...{ call, viewId, epoch },
  user: { uid: 'alice', email: 'alice@example.org', token: 'token of alice', service: 'session' },
});

test('a run that completes is published for its user, and tells of its files right before its end', async () => {
  const sessionId = await server.newSession();
  const { stream, played, runId, runLayer } = await writingRun(sessionId);
  expect(runLayer).toBe(true);
  played.finish();
  const { events } = await stream;
  expect(casesOf(events).slice(-5)).toEqual(['spanStart', 'spanEnd', 'spanEnd', 'outputFile', 'runEnd']);
  const value = { path: '/out/a', size: 5n, etag: 'e', mediaType: 'text/plain' };
  expect(events.at(-2)?.data).toMatchObject({ case: 'outputFile', value });
  expect(server.fences.layers.calls).toEqual([alicesCall('commit', runId, 1n)]);
  const { spans } = await server.alice.listSpans({ sessionId, runId });
  expect(spans.map(({ kind, name }) => [kind, name])).toEqual([
    [SpanKind.RUN, 'invoke_agent default'],
    [SpanKind.FILE, 'CommitRun'],
  ]);
});

test('a run whose files others have changed as well ends with PUBLISH_CONFLICT', async () => {
  const sessionId = await server.newSession();
  const { stream, played, runId } = await writingRun(sessionId);
  server.fences.layers.changedByOthers.add('/out/a');
  played.finish();
  const error = { code: 10, reason: ErrorReason.PUBLISH_CONFLICT, retryable: false };
  expect((await stream).events.at(-1)?.data).toMatchObject({ case: 'runError', value: { error } });
  const { run } = await server.alice.getRun({ sessionId, runId });
  expect(run).toMatchObject({ status: RunStatus.FAILED, error });
});

test('a run that is cancelled is published after the fences, unless its files are to be dropped', async () => {
  for (const [onCancel, state] of [
    [OnCancel.KEEP, LayerState.PUBLISHED],
    [OnCancel.DROP, LayerState.ROLLED_BACK],
  ] as const) {
    const sessionId = await server.newSession();
    const { stream, played, runId } = await writingRun(sessionId, { options: { onCancel } });
    const stopped = server.alice.cancelRun({ sessionId, runId, wait: true });
    await played.aborted.promise;
    played.finish({ case: 'aborted', value: {} });
    expect(await stopped).toMatchObject({ run: { status: RunStatus.CANCELLED } });
    expect((await stream).events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.CANCELLED });
    expect(server.fences.layers.stateOf(runId)).toBe(state);
  }
});

test('a run waits for a filesystem that is away for a moment', async () => {
  const sessionId = await server.newSession();
  const { stream, played, runId } = await writingRun(sessionId);
  const error = new DomainError('unavailable', 'SHUTTING_DOWN', 'away');
  server.fences.layers.failure = { error, times: 2 };
  played.finish();
  expect(casesOf((await stream).events).slice(-2)).toEqual(['outputFile', 'runEnd']);
  expect(server.fences.layers.calls).toEqual(Array(3).fill(alicesCall('commit', runId, 1n)));
});

test('a run that is rolled back leaves neither files nor messages, and the next one begins without them', async () => {
  const sessionId = await server.newSession();
  const first = await writingRun(sessionId);
  first.played.finish();
  await first.stream;
  const kept = (await server.alice.listMessages({ sessionId })).messages;
  const second = await writingRun(sessionId);
  const index = server.runtime.runs.length;
  const request = { sessionId, input: input('instead'), busyPolicy: BusyPolicy.ROLLBACK, requestId: 'once' };
  const third = readRun(server.alice.runSession(request));
  await second.played.aborted.promise;
  second.played.finish({ case: 'aborted', value: {} });
  const { events } = await second.stream;
  expect(events.slice(-2).map(({ data }) => data)).toMatchObject([
    {
      case: 'runRolledBack',
      value: { firstContextSeq: 4n, lastContextSeq: 6n, fileChanges: 1, filesPublished: false },
    },
    { case: 'runEnd', value: { outcome: RunOutcome.CANCELLED } },
  ]);
  expect(server.fences.layers.stateOf(second.runId)).toBe(LayerState.ROLLED_BACK);
  const played = await server.runtime.run(index);
  await played.started.promise;
  expect(played.history).toHaveLength(kept.length + 1);
  played.finish();
  const { run } = await third;
  const { messages } = await server.alice.listMessages({ sessionId });
  expect(messages.slice(0, -1)).toEqual(kept);
  expect(messages.at(-1)).toMatchObject({ runId: run?.id, seq: 7n });
  // The same request again takes nothing back: it finds its run.
  expect((await readRun(server.alice.runSession(request))).run?.id).toBe(run?.id);
});

test('a run whose executor knows no layers completes, and is rolled back without its files', async () => {
  const sessionId = await server.newSession();
  const first = await writingRun(sessionId);
  server.fences.layers.openWithout(sessionId, first.runId);
  first.played.finish();
  expect(casesOf((await first.stream).events).slice(-2)).toEqual(['spanEnd', 'runEnd']);
  const second = await writingRun(sessionId);
  server.fences.layers.openWithout(sessionId, second.runId);
  await server.alice.startRun({ sessionId, input: input('instead'), busyPolicy: BusyPolicy.ROLLBACK });
  await second.played.aborted.promise;
  second.played.finish({ case: 'aborted', value: {} });
  const value = { fileChanges: 0, filesPublished: true };
  expect((await second.stream).events.at(-2)?.data).toMatchObject({ case: 'runRolledBack', value });
});

test('a run that calls no tool asks filesystem nothing at its end', async () => {
  const sessionId = await server.newSession();
  const index = server.runtime.runs.length;
  const stream = readRun(server.alice.runSession({ sessionId, input: input() }));
  const played = await server.runtime.run(index);
  await played.started.promise;
  await played.answer('no tool is needed');
  played.finish();
  await stream;
  await delay(50);
  expect(server.fences.layers.calls).toEqual([]);
});
