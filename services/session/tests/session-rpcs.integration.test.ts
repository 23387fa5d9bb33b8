import { randomUUID } from 'node:crypto';
import { Code } from '@connectrpc/connect';
import { SpanStatus } from '@spanwise/contracts/spanwise/event/v1/event';
import { SessionService, SessionStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  casesOf,
  failing,
  input,
  readRun,
  type SessionClient,
  type SessionServer,
  startSessionServer,
} from './doubles/session-server.ts';

const missingId = '01890000-0000-7000-8000-0000000000ff';
const notFound = { code: Code.NotFound, reason: 'SESSION_NOT_FOUND', metadata: {}, message: 'No such session.' };
const runNotFound = { code: Code.NotFound, reason: 'RUN_NOT_FOUND', metadata: {}, message: 'No such run.' };

let server: SessionServer;
beforeAll(async () => {
  server = await startSessionServer(async (run) => {
    const { agent } = await run.started.promise;
    if (agent === 'waiting') {
      await run.aborted.promise;
      return run.finish({ case: 'aborted', value: {} });
    }
    await run.answer('an answer');
    run.finish();
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const waiting = { options: { agent: 'waiting' } };

describe('sessions', () => {
  test('are created, read, renamed, listed and deleted', async () => {
    const { session } = await server.alice.createSession({ title: 'Ä title' });
    expect(session).toMatchObject({
      uid: 'alice',
      title: 'Ä title',
      status: SessionStatus.IDLE,
      activeRunId: '',
      lastSeq: 0n,
    });
    const sessionId = session?.id ?? '';
    expect((await server.alice.getSession({ sessionId })).session).toEqual(session);
    const renamed = await server.alice.updateSession({ sessionId, title: 'new', updateMask: { paths: ['title'] } });
    expect(renamed.session).toEqual({ ...session, title: 'new', updateTime: renamed.session?.updateTime });
    const { sessions } = await server.alice.listSessions({ pageSize: 1 });
    expect(sessions).toEqual([renamed.session]);
    expect((await server.bob.listSessions({})).sessions).toEqual([]);
    await server.alice.deleteSession({ sessionId });
    expect(await failing(server.alice.getSession({ sessionId }))).toEqual(notFound);
    expect((await server.alice.listSessions({ pageSize: 200 })).sessions.map(({ id }) => id)).not.toContain(sessionId);
  });

  test('are the same for the same request, and another user’s for another user', async () => {
    const request = { requestId: 'open once' };
    const made = await Promise.all(Array.from({ length: 20 }, () => server.alice.createSession(request)));
    expect(new Set(made.map(({ session }) => session?.id)).size).toBe(1);
    expect((await server.bob.createSession(request)).session?.id).not.toBe(made[0]?.session?.id);
  });

  test('change nothing but their title', async () => {
    const sessionId = await server.newSession();
    for (const paths of [[], ['uid'], ['title', 'status']]) {
      const failure = await failing(server.alice.updateSession({ sessionId, title: 'x', updateMask: { paths } }));
      expect(failure).toMatchObject({ code: Code.InvalidArgument, reason: 'INVALID_FIELD' });
    }
    expect(await failing(server.alice.updateSession({ sessionId, title: 'x' }))).toMatchObject({
      code: Code.InvalidArgument,
    });
    expect((await server.alice.getSession({ sessionId })).session?.title).toBe('');
  });

  test('refuse a second run and their own end while a run is active', async () => {
    const sessionId = await server.newSession();
    const { run } = await server.alice.startRun({ sessionId, input: input(), ...waiting });
    const busy = {
      code: Code.FailedPrecondition,
      reason: 'SESSION_BUSY',
      metadata: { run_id: run?.id },
      message: expect.any(String),
    };
    expect(await failing(server.alice.startRun({ sessionId, input: input() }))).toEqual(busy);
    expect(await failing(readRun(server.alice.runSession({ sessionId, input: input() })))).toEqual(busy);
    expect(await failing(server.alice.deleteSession({ sessionId }))).toEqual(busy);
    const { session } = await server.alice.getSession({ sessionId });
    expect(session).toMatchObject({ status: SessionStatus.RUNNING, activeRunId: run?.id });
    await server.alice.deleteSession({ sessionId, cancelActiveRun: true });
    expect(await failing(server.alice.getSession({ sessionId }))).toEqual(notFound);
  });
});

describe('requests with an id', () => {
  test('are refused when the id was used for another one', async () => {
    const sessionId = await server.newSession();
    await readRun(server.alice.runSession({ sessionId, input: input(), requestId: 'r' }));
    const reused = { code: Code.AlreadyExists, reason: 'REQUEST_ID_REUSED' };
    expect(await failing(server.alice.startRun({ sessionId, input: input('other'), requestId: 'r' }))).toMatchObject(
      reused,
    );
    const options = { agent: 'waiting' };
    expect(
      await failing(readRun(server.alice.runSession({ sessionId, input: input(), requestId: 'r', options }))),
    ).toMatchObject(reused);
  });
});

describe('what a session holds', () => {
  test('is listed page by page: runs, events, messages and spans', async () => {
    const sessionId = await server.newSession();
    const runIds: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { run } = await readRun(server.alice.runSession({ sessionId, input: input(`message ${n}`) }));
      runIds.unshift(run?.id ?? '');
    }
    const runs = await pages(
      (pageToken) => server.alice.listRuns({ sessionId, pageSize: 2, pageToken }),
      ({ runs }) => runs,
    );
    expect(runs.map(({ id }) => id)).toEqual(runIds);
    const events = await pages(
      (pageToken) => server.alice.listEvents({ sessionId, pageSize: 7, pageToken }),
      ({ events }) => events,
    );
    expect(events.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 27 }, (_, n) => n + 1));
    const messages = await pages(
      (pageToken) => server.alice.listMessages({ sessionId, pageSize: 1, pageToken }),
      ({ messages }) => messages,
    );
    expect(messages.map(({ seq, role }) => [Number(seq), role])).toEqual(
      [1, 2, 3, 4, 5, 6].map((seq) => [seq, seq % 2 === 1 ? 2 : 3]),
    );
    const [runId = ''] = runIds;
    expect(casesOf((await server.alice.listEvents({ sessionId, runId, afterSeq: 24n })).events)).toEqual([
      'message',
      'spanEnd',
      'runEnd',
    ]);
    const { spans } = await server.alice.listSpans({ sessionId, runId });
    expect(spans).toMatchObject([
      { name: 'invoke_agent default', service: 'session', status: SpanStatus.OK, span: runs[0]?.span?.span },
    ]);
  });
});

describe('WatchSession', () => {
  test('replays, says that it has caught up, and goes on with what happens', async () => {
    const sessionId = await server.newSession();
    await readRun(server.alice.runSession({ sessionId, input: input() }));
    const leaving = new AbortController();
    const told: string[] = [];
    const from = async (afterSeq: bigint) => {
      for await (const { events, caughtUp } of server.alice.watchSession(
        { sessionId, afterSeq, live: false },
        { signal: leaving.signal },
      )) {
        told.push(...events.map(({ seq }) => String(seq)), ...(caughtUp ? [`caught up at ${caughtUp.seq}`] : []));
        if (caughtUp !== undefined) {
          await server.alice.startRun({ sessionId, input: input() });
        }
        if (events.some(({ seq }) => seq === 18n)) {
          leaving.abort();
        }
      }
    };
    expect(await failing(from(7n))).toMatchObject({ code: Code.Canceled });
    expect(told).toEqual(['8', '9', 'caught up at 9', ...Array.from({ length: 9 }, (_, n) => String(n + 10))]);
  });

  test('refuses a cursor beyond the log', async () => {
    const sessionId = await server.newSession();
    const failure = await failing(Array.fromAsync(server.alice.watchSession({ sessionId, afterSeq: 1n })));
    expect(failure).toMatchObject({
      code: Code.OutOfRange,
      reason: 'CURSOR_OUT_OF_RANGE',
      metadata: { first_seq: '1', last_seq: '0' },
    });
  });
});

test('RunSession refuses a cursor beyond the log', async () => {
  const sessionId = await server.newSession();
  await readRun(server.alice.runSession({ sessionId, input: input(), requestId: 'r' }));
  const again = server.alice.runSession({ sessionId, input: input(), requestId: 'r', afterSeq: 10n });
  expect(await failing(readRun(again))).toMatchObject({
    code: Code.OutOfRange,
    metadata: { first_seq: '1', last_seq: '9' },
  });
});

test('CancelRun without a run needs an active one', async () => {
  const sessionId = await server.newSession();
  const failure = { code: Code.FailedPrecondition, reason: 'NO_ACTIVE_RUN' };
  expect(await failing(server.alice.cancelRun({ sessionId }))).toMatchObject(failure);
});

/** Every RPC, on a session and a run. */
const rpcs: Readonly<Record<string, (client: SessionClient, sessionId: string, runId: string) => Promise<unknown>>> = {
  getSession: (client, sessionId) => client.getSession({ sessionId }),
  updateSession: (client, sessionId) =>
    client.updateSession({ sessionId, title: 'x', updateMask: { paths: ['title'] } }),
  deleteSession: (client, sessionId) => client.deleteSession({ sessionId, cancelActiveRun: true }),
  runSession: (client, sessionId) => readRun(client.runSession({ sessionId, input: input(), requestId: 'r' })),
  startRun: (client, sessionId) => client.startRun({ sessionId, input: input(), requestId: 'r' }),
  watchSession: (client, sessionId) => Array.fromAsync(client.watchSession({ sessionId })),
  cancelRun: (client, sessionId, runId) => client.cancelRun({ sessionId, runId }),
  answerInterrupt: (client, sessionId, runId) =>
    client.answerInterrupt({ sessionId, runId, interruptId: randomUUID(), answerJson: '1' }),
  getRun: (client, sessionId, runId) => client.getRun({ sessionId, runId }),
  listRuns: (client, sessionId) => client.listRuns({ sessionId }),
  listEvents: (client, sessionId) => client.listEvents({ sessionId }),
  listMessages: (client, sessionId) => client.listMessages({ sessionId }),
  listSpans: (client, sessionId, runId) => client.listSpans({ sessionId, runId }),
};
const aboutRuns = ['getRun', 'listSpans'];

describe('someone else’s session looks like a missing one', () => {
  test('to every RPC that names a session', () => {
    const named = SessionService.methods.filter(({ input: request }) => request.field.sessionId !== undefined);
    expect(Object.keys(rpcs).sort()).toEqual(named.map(({ localName }) => localName).sort());
  });

  test.each(Object.entries(rpcs))('to %s, idle and running', async (name, call) => {
    const sessionId = await server.newSession();
    const { run } = await readRun(server.alice.runSession({ sessionId, input: input(), requestId: 'r' }));
    const before = server.sql('select * from sessions where id = ?', sessionId);
    const expected = aboutRuns.includes(name) ? runNotFound : notFound;
    expect(await failing(call(server.bob, missingId, missingId))).toEqual(expected);
    expect(await failing(call(server.bob, sessionId, run?.id ?? ''))).toEqual(expected);
    expect(server.sql('select * from sessions where id = ?', sessionId)).toEqual(before);
    const active = await server.alice.startRun({ sessionId, input: input(), ...waiting });
    expect(await failing(call(server.bob, sessionId, active.run?.id ?? ''))).toEqual(expected);
    expect((await server.alice.cancelRun({ sessionId })).run?.id).toBe(active.run?.id);
  });

  test('and a run of another session is not found in one’s own', async () => {
    const [sessionId, other] = [await server.newSession(), await server.newSession()];
    const { run } = await readRun(server.alice.runSession({ sessionId, input: input() }));
    const runId = run?.id ?? '';
    const calls = [
      ...[server.alice.getRun({ sessionId: other, runId }), server.alice.listSpans({ sessionId: other, runId })],
      ...[server.alice.cancelRun({ sessionId: other, runId }), server.alice.listEvents({ sessionId: other, runId })],
      Array.fromAsync(server.alice.watchSession({ sessionId: other, runId })),
    ];
    expect(await Promise.all(calls.map(failing))).toEqual(calls.map(() => runNotFound));
  });
});

async function pages<Response extends { readonly nextPageToken: string }, Item>(
  read: (pageToken: string) => Promise<Response>,
  itemsOf: (response: Response) => readonly Item[],
): Promise<Item[]> {
  const items: Item[] = [];
  for (let page = await read(''); ; page = await read(page.nextPageToken)) {
    items.push(...itemsOf(page));
    if (page.nextPageToken === '') {
      return items;
    }
  }
}
