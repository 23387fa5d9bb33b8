import { setTimeout as delay } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { type AgentEvent, RunOutcome } from '@spanwise/contracts/spanwise/event/v1/event';
import { RunStatus, SessionStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { MessageSchema, Role } from '@spanwise/contracts/spanwise/type/v1/message';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blockDelta, blockStart, type PlayedRun, toolResult } from './doubles/runtime-server.ts';
import { casesOf, failing, input, readRun, type SessionServer, startSessionServer } from './doubles/session-server.ts';
import { TextReader } from './doubles/text-reader.ts';

/** What the runtime does with a run, by the name of the agent. */
const agents: Readonly<Record<string, (run: PlayedRun) => Promise<void>>> = {
  async answering(run) {
    await run.answer('Grüße 😀');
    run.finish();
  },
  async chatty(run) {
    for (let n = 0; n < 5; n += 1) {
      await run.answer(`part ${n} `.repeat(100));
    }
    run.finish();
  },
  async patient(run) {
    run.say(blockStart(`block of ${run.identity.uid}`, 'm'), blockDelta(`block of ${run.identity.uid}`, 0, 'begin '));
    await run.aborted.promise.catch(() => undefined);
    run.finish({ case: 'aborted', value: {} });
  },
  async verbose(run) {
    run.say(...Array.from({ length: 45 }, (_, n) => toolResult(`call ${n}`, 'x'.repeat(100_000))));
    run.finish();
  },
};

let server: SessionServer;
beforeAll(async () => {
  server = await startSessionServer(async (run) => {
    const { agent } = await run.started.promise;
    await (agents[agent] ?? agents.answering)?.(run);
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const runSession = (sessionId: string, agent = 'answering', more: object = {}) =>
  server.alice.runSession({ sessionId, input: input(), options: { agent }, ...more });
const seqsOf = (events: readonly AgentEvent[]) => events.map(({ seq }) => Number(seq)).filter((seq) => seq > 0);

describe('RunSession', () => {
  test('streams the run first, its events from RUN_START to the terminal one, and ends', async () => {
    const sessionId = await server.newSession();
    const { run, messages, events } = await readRun(runSession(sessionId));
    expect(run).toMatchObject({ sessionId, status: RunStatus.RUNNING, agent: 'answering', startSeq: 1n, attempt: 1 });
    expect(messages[0]?.events).toEqual([]);
    expect(messages.slice(1).every((message) => message.run === undefined)).toBe(true);
    expect(casesOf(events.filter(({ seq }) => seq > 0n))).toEqual([
      ...['runStart', 'spanStart', 'message', 'textStart', 'textDelta', 'textEnd', 'message', 'spanEnd', 'runEnd'],
    ]);
    expect(seqsOf(events)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Object.values(new TextReader().apply(events as never).texts)).toEqual(['Grüße 😀']);
    expect(events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.COMPLETED, finishReason: 1 });
    const { run: ended } = await server.alice.getRun({ sessionId, runId: run?.id ?? '' });
    expect(ended).toMatchObject({ id: run?.id, status: RunStatus.COMPLETED, terminalSeq: 9n, finishReason: 1 });
    const { session } = await server.alice.getSession({ sessionId });
    expect(session).toMatchObject({ status: SessionStatus.IDLE, activeRunId: '', lastSeq: 9n });
  });

  test('sends identity, options and the dialogue so far to the runtime', async () => {
    const sessionId = await server.newSession();
    await readRun(runSession(sessionId));
    const index = server.runtime.runs.length;
    const options = { agent: 'answering', model: 'm', maxTurns: 3, toolsAllow: ['a'], toolsDeny: ['b'] };
    const { run } = await readRun(server.alice.runSession({ sessionId, input: input('second'), options }));
    const played = await server.runtime.run(index);
    const { span, deadline, ...start } = await played.started.promise;
    expect(played.identity).toEqual({
      uid: 'alice',
      email: 'alice@example.org',
      token: 'token of alice',
      service: 'session',
    });
    expect(start).toMatchObject({ ...options, sessionId, runId: run?.id, epoch: 2n, attempt: 1 });
    expect([span, deadline]).toEqual([run?.span, undefined]);
    const dialogue = played.history.map((bytes) => fromBinary(MessageSchema, bytes));
    expect(dialogue.map(({ role, parts }) => [role, parts[0]?.part.value])).toMatchObject([
      [Role.USER, { text: 'hello' }],
      [Role.ASSISTANT, { text: 'Grüße 😀' }],
      [Role.USER, { text: 'second' }],
    ]);
  });

  test('gives exactly the missing events from any cursor, the last one included', async () => {
    const sessionId = await server.newSession();
    const requestId = 'resume';
    const whole = await readRun(runSession(sessionId, 'chatty', { requestId }));
    const last = seqsOf(whole.events).length;
    for (const afterSeq of [0, 1, 2, 5, last - 1, last]) {
      const again = await readRun(runSession(sessionId, 'chatty', { requestId, afterSeq: BigInt(afterSeq) }));
      expect(again.run?.id).toBe(whole.run?.id);
      expect(seqsOf(again.events)).toEqual(Array.from({ length: last - afterSeq }, (_, n) => afterSeq + n + 1));
    }
    expect(server.sql('select count(*) as runs from runs where session_id = ?', sessionId)).toEqual([{ runs: 1 }]);
  });

  test('gives a second watcher the text that is not stored yet, and both the same text', async () => {
    const sessionId = await server.newSession();
    const arrived = server.runtime.runs.length;
    const first = readRun(runSession(sessionId, 'patient', { requestId: 'shared' }));
    const played = await server.runtime.run(arrived);
    await played.started.promise;
    await delay(20);
    const second = readRun(runSession(sessionId, 'patient', { requestId: 'shared' }));
    await delay(20);
    played.say(blockDelta('block of alice', 6, 'middle '), blockDelta('block of alice', 13, 'ende'));
    await server.alice.cancelRun({ sessionId });
    const streams = await Promise.all([first, second]);
    const texts = streams.map(({ events }) => new TextReader().apply(events as never).texts);
    const text = { 'block of alice': 'begin middle ende' };
    expect(texts).toEqual([text, text]);
    expect(streams.map(({ events }) => seqsOf(events))).toEqual([
      seqsOf(streams[0]?.events ?? []),
      seqsOf(streams[0]?.events ?? []),
    ]);
    const { events } = await server.alice.listEvents({ sessionId });
    expect(new TextReader().apply(events as never).texts).toEqual(text);
  });

  test('goes on when its client leaves', async () => {
    const sessionId = await server.newSession();
    const leaving = new AbortController();
    const arrived = server.runtime.runs.length;
    const stream = server.alice.runSession(
      { sessionId, input: input(), options: { agent: 'patient' }, requestId: 'left' },
      { signal: leaving.signal },
    );
    const reading = readRun(stream).catch(() => 'left');
    const played = await server.runtime.run(arrived);
    await played.started.promise;
    leaving.abort();
    expect(await reading).toBe('left');
    await delay(100);
    const again = readRun(runSession(sessionId, 'patient', { requestId: 'left' }));
    played.finish();
    const { events } = await again;
    expect(casesOf(events).slice(-2)).toEqual(['spanEnd', 'runEnd']);
    expect(events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.COMPLETED });
  });

  test('ends with its caller’s deadline, and the run goes on', async () => {
    const sessionId = await server.newSession();
    const arrived = server.runtime.runs.length;
    const request = { sessionId, input: input(), options: { agent: 'patient' }, requestId: 'late' };
    const stream = readRun(server.alice.runSession(request, { timeoutMs: 150 }));
    expect(await failing(stream)).toMatchObject({ code: Code.DeadlineExceeded });
    const again = readRun(server.alice.runSession(request));
    (await server.runtime.run(arrived)).finish();
    expect((await again).events.at(-1)?.data.value).toMatchObject({ outcome: RunOutcome.COMPLETED });
  });

  test('goes on to its end when nobody reads the stream any more', async () => {
    const sessionId = await server.newSession();
    const arrived = server.runtime.runs.length;
    const stream = server.alice.runSession({ sessionId, input: input(), options: { agent: 'patient' } });
    const reading = stream[Symbol.asyncIterator]();
    await reading.next();
    const played = await server.runtime.run(arrived);
    await played.started.promise;
    // Far more than what fits into the windows of the connection and the queue of a watcher.
    for (let n = 0; n < 200; n += 1) {
      played.say(...Array.from({ length: 20 }, (_, m) => toolResult(`call ${n} ${m}`, 'x'.repeat(1000))));
    }
    played.finish();
    const statusNow = async () => (await server.alice.getSession({ sessionId })).session?.status;
    await expect.poll(statusNow, { timeout: 10_000 }).toBe(SessionStatus.IDLE);
    await reading.return?.();
  });

  test('starts one run of the same request fifty times at once', async () => {
    const sessionId = await server.newSession();
    const streams = await Promise.all(
      Array.from({ length: 50 }, () => readRun(runSession(sessionId, 'answering', { requestId: 'once', live: false }))),
    );
    expect(new Set(streams.map(({ run }) => run?.id)).size).toBe(1);
    expect(new Set(streams.map(({ events }) => casesOf(events).join())).size).toBe(1);
    expect((await server.alice.listRuns({ sessionId })).runs).toHaveLength(1);
  });

  test('replays and lists more than one message can carry', async () => {
    const sessionId = await server.newSession();
    const { run, events } = await readRun(runSession(sessionId, 'verbose', { requestId: 'large' }));
    const again = await readRun(runSession(sessionId, 'verbose', { requestId: 'large' }));
    expect(seqsOf(again.events)).toEqual(seqsOf(events));
    const listed: AgentEvent[] = [];
    for (let pageToken = ''; ; ) {
      const page = await server.alice.listEvents({ sessionId, runId: run?.id ?? '', pageSize: 200, pageToken });
      listed.push(...page.events);
      pageToken = page.nextPageToken;
      if (pageToken === '') {
        break;
      }
    }
    expect(seqsOf(listed)).toEqual(seqsOf(events));
  });

  test('takes and lists a dialogue that is larger than one message', async () => {
    const sessionId = await server.newSession();
    const large = 'x'.repeat(990_000);
    const parts = Array.from({ length: 2 }, () => ({ part: { case: 'text' as const, value: large } }));
    for (let n = 0; n < 3; n += 1) {
      const { events } = await readRun(server.alice.runSession({ sessionId, input: [{ parts }] }));
      expect(casesOf(events).at(-1)).toBe('runEnd');
    }
    const roles: Role[] = [];
    for (let pageToken = ''; ; ) {
      const page = await server.alice.listMessages({ sessionId, pageToken });
      roles.push(...page.messages.map(({ role }) => role));
      pageToken = page.nextPageToken;
      if (pageToken === '') {
        break;
      }
    }
    expect(roles).toEqual(Array.from({ length: 3 }, () => [Role.USER, Role.ASSISTANT]).flat());
  });
});

describe('StartRun', () => {
  test('answers at once, and the same request answers the same run', async () => {
    const sessionId = await server.newSession();
    const request = { sessionId, input: input(), options: { agent: 'answering' }, requestId: 'r' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => server.alice.startRun(request)));
    expect(new Set(answers.map(({ run }) => run?.id)).size).toBe(1);
    expect(answers[0]?.run).toMatchObject({ requestId: 'r', startSeq: 1n });
    await readRun(server.alice.runSession(request));
  });
});

test('a message with its blocks is committed in the order in which the runtime said it', async () => {
  const sessionId = await server.newSession();
  const { events } = await readRun(runSession(sessionId, 'chatty', { live: false }));
  expect(casesOf(events).slice(3, -2)).toEqual(
    Array.from({ length: 5 }, () => ['textStart', 'textDelta', 'textEnd', 'message']).flat(),
  );
  const places = events.flatMap(({ data }) => (data.case === 'message' ? [data.value.contextSeq] : []));
  expect(places).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
});
