import { fromBinary } from '@bufbuild/protobuf';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import { brandId, DomainError, type SessionId } from '@spanwise/kernel';
import { noPolicy, type ToolPolicy } from '@spanwise/tool-kit/contract';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import {
  alice,
  bob,
  inMemoryWorld,
  instanceId,
  openSession,
  options,
  rowsOf,
  settled,
  startedRun,
  startRunIn,
  type World,
} from '../../tests/doubles/world.ts';
import { eventTime, role } from '../domain/event/agent-event.ts';
import type { StartRunRequest } from './start-run.ts';

const request = (sessionId: SessionId, more: Partial<StartRunRequest> = {}): StartRunRequest => {
  const input = [['hello', 'world'], ['again']];
  return { caller: alice, sessionId, input, options, requestId: 'r', busyPolicy: 'reject', ...more };
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('starting a run', () => {
  test('commits the run, its first events and its input together', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const timed = { ...options, timeoutMs: 5000 };
    const { run } = await world.startRun.execute(request(sessionId, { options: timed }));
    const nowMs = world.clock.nowMs();
    expect(run).toEqual({
      ...{
        id: run.id,
        sessionId,
        requestId: 'r',
        fingerprint: run.fingerprint,
        status: 'RUNNING',
        ownerId: instanceId,
      },
      ...{ epoch: 1, attempt: 1, options: timed, startSeq: 1, terminalSeq: 0, deadlineAtMs: nowMs + 5000 },
      ...{
        cancelRequestedAtMs: undefined,
        cancelReason: '',
        rollsBack: false,
        ending: undefined,
        lostAttempts: 0,
        spec: undefined,
        email: alice.email,
        sealedToken: run.sealedToken,
        remainingMs: undefined,
        wakeAtMs: undefined,
        createdAtMs: nowMs,
        endedAtMs: undefined,
      },
      span: { span: { id: run.span.span.id, par: '' }, traceId: run.span.traceId, traceFlags: 1 },
    });
    const context = world.store.sessions.get(sessionId)?.context ?? [];
    const [first = '', second = ''] = context.map(({ messageId }) => messageId);
    const at = { sessionId, runId: run.id, epoch: 1n, span: run.span.span, time: eventTime(nowMs) };
    const { traceId } = run.span;
    expect(rowsOf(world, sessionId)).toMatchObject([
      {
        ...at,
        seq: 1n,
        data: { case: 'runStart', value: { agent: 'default', attempt: 1, inputMessageIds: [first, second], traceId } },
      },
      {
        ...at,
        seq: 2n,
        data: { case: 'spanStart', value: { kind: 1, name: 'invoke_agent default', traceId, service: 'session' } },
      },
      { ...at, seq: 3n, data: { case: 'message', value: { messageId: first, role: role.user, contextSeq: 1n } } },
      { ...at, seq: 4n, data: { case: 'message', value: { messageId: second, role: role.user, contextSeq: 2n } } },
    ]);
    const messages = context.map(({ payload }) => fromBinary(MessageSchema, payload));
    expect(messages).toMatchObject([
      {
        id: first,
        role: role.user,
        runId: run.id,
        parts: [{ part: { value: { text: 'hello' } } }, { part: { value: { text: 'world' } } }],
      },
      { id: second, role: role.user, runId: run.id, parts: [{ part: { value: { text: 'again' } } }] },
    ]);
  });

  test('answers the same run to the same request, however it stands, and drives it once', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const all = await Promise.all(Array.from({ length: 10 }, () => world.startRun.execute(request(sessionId))));
    expect(new Set(all.map(({ run }) => run.id)).size).toBe(1);
    world.runtime.last.finish();
    await settled();
    const again = await world.startRun.execute(request(sessionId));
    expect(again.run.status).toBe('COMPLETED');
    expect(world.runtime.executions).toHaveLength(1);
  });

  test.each([
    ['other input', { input: [['hello'], ['world', 'again']] }],
    ['other options', { options: { ...options, maxTurns: 1 } }],
    ['another fate of its files', { options: { ...options, onCancel: 'drop' as const } }],
  ])('refuses %s under the same request id', async (_, more) => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    await world.startRun.execute(request(sessionId));
    await expect(world.startRun.execute(request(sessionId, more))).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });

  test('without a request id starts another run each time', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    await expect(startRunIn(world, first.sessionId)).rejects.toMatchObject({
      reason: 'SESSION_BUSY',
      facts: { run_id: first.run.id },
    });
    first.executor.finish();
    await settled();
    const second = await startRunIn(world, first.sessionId);
    expect(second.run.requestId).not.toBe(first.run.requestId);
    expect(second.run.id).not.toBe(first.run.id);
  });

  test('in a session of someone else, or in none, is refused', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const notFound = { reason: 'SESSION_NOT_FOUND' };
    await expect(world.startRun.execute(request(sessionId, { caller: bob }))).rejects.toMatchObject(notFound);
    await expect(world.startRun.execute(request(brandId<SessionId>('none')))).rejects.toMatchObject(notFound);
    expect(rowsOf(world, sessionId)).toEqual([]);
  });

  test('drives the run also when the answer to its commit was lost', async () => {
    let isAway = true;
    const world = inMemoryWorld({
      runs: (runs) =>
        replaced(runs, {
          async start(each, begin) {
            const started = await runs.start(each, begin);
            if (isAway) {
              isAway = false;
              throw new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');
            }
            return started;
          },
        }),
    });
    const sessionId = await openSession(world);
    const starting = world.startRun.execute(request(sessionId));
    while (isAway) {
      await settled();
    }
    await settled();
    vi.advanceTimersByTime(200);
    const { run } = await starting;
    await settled();
    expect(world.runtime.last.dispatch.runId).toBe(run.id);
    world.runtime.last.finish();
    await settled();
    expect((await world.runs.find(sessionId, run.id))?.status).toBe('COMPLETED');
  });

  test('in a busy session waits for its turn, and begins with the end of the run before it', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    const policy = { busyPolicy: 'enqueue', requestId: 'q' } as const;
    const { run: queued } = await world.startRun.execute(request(first.sessionId, policy));
    expect([queued.status, queued.startSeq]).toEqual(['QUEUED', 0]);
    expect(world.runtime.executions).toHaveLength(1);
    first.executor.finish();
    await settled();
    const { dispatch } = world.runtime.last;
    expect(dispatch).toMatchObject({
      runId: queued.id,
      epoch: 2,
      attempt: 1,
      caller: { uid: 'alice', token: alice.token },
    });
    expect((await Array.fromAsync(dispatch.history)).flatMap(({ messages }) => messages)).toHaveLength(3);
    world.runtime.last.finish();
    await settled();
    const ends = rowsOf(world, first.sessionId).filter(({ data }) => data.case === 'runEnd');
    expect(ends.map(({ runId }) => runId)).toEqual([first.run.id, queued.id]);
    expect(await world.sessions.find(alice.uid, first.sessionId)).toMatchObject({ status: 'IDLE', epoch: 2 });
  });

  test('interrupts the active run when it is told to, and begins after its end', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    const policy = { busyPolicy: 'interrupt', requestId: 'i' } as const;
    const { run } = await world.startRun.execute(request(first.sessionId, policy));
    await settled();
    expect(first.executor.aborts).toEqual(['cancelled']);
    first.executor.finish({ kind: 'aborted' });
    await settled();
    expect((await world.runs.find(first.sessionId, first.run.id))?.status).toBe('CANCELLED');
    expect(world.runtime.last.dispatch.runId).toBe(run.id);
  });

  test('is told to the others when its turn comes in a process that shuts down', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    const policy = { busyPolicy: 'enqueue', requestId: 'q' } as const;
    const { run: queued } = await world.startRun.execute(request(first.sessionId, policy));
    const leaving = world.drivers.leave(20_000);
    await settled();
    first.executor.finish();
    await leaving;
    expect(world.released.map(({ id }) => id)).toEqual([queued.id]);
    expect(await world.runs.find(first.sessionId, queued.id)).toMatchObject({ status: 'RUNNING', ownerId: undefined });
  });

  test('is refused by a process that shuts down', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    await world.drivers.leave(0);
    await expect(world.startRun.execute(request(sessionId))).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  });
});

describe('the rules of a run', () => {
  const ruled = (sessionPolicy: Partial<ToolPolicy>) => async (world: World) => {
    const sessionId = await openSession(world);
    await world.manageSessions.update(alice, sessionId, { toolPolicy: { ...noPolicy, ...sessionPolicy } });
    return sessionId;
  };

  test('are its own and those that its session has when it is made', async () => {
    const world = inMemoryWorld();
    const sessionId = await ruled({ deny: ['web_fetch'], ask: ['bash'] })(world);
    const own = { ...options, toolPolicy: { ...noPolicy, allow: ['bash(ls)'], ask: ['bash'] } };
    const { run } = await world.startRun.execute(request(sessionId, { options: own }));
    expect(run.options.toolPolicy).toEqual({ allow: ['bash(ls)'], ask: ['bash'], deny: ['web_fetch'] });
    await world.manageSessions.update(alice, sessionId, { toolPolicy: noPolicy });
    expect((await world.runs.find(sessionId, run.id))?.options.toolPolicy.deny).toEqual(['web_fetch']);
  });

  test('do not make a repeated request another one when its session has new ones', async () => {
    const world = inMemoryWorld();
    const sessionId = await ruled({})(world);
    const { run } = await world.startRun.execute(request(sessionId));
    await world.manageSessions.update(alice, sessionId, { toolPolicy: { ...noPolicy, deny: ['bash'] } });
    expect((await world.startRun.execute(request(sessionId))).run.id).toBe(run.id);
    const other = { ...options, toolPolicy: { ...noPolicy, deny: ['bash'] } };
    await expect(world.startRun.execute(request(sessionId, { options: other }))).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });
});
