import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import {
  assistantMessage,
  contextRow,
  durable,
  result,
  spanStart,
  textDelta,
  textEnd,
  textStart,
} from '../../tests/doubles/said.ts';
import {
  alice,
  inMemoryWorld,
  openSession,
  rowsOf,
  settled,
  startedRun,
  startRunIn,
  type World,
} from '../../tests/doubles/world.ts';
import { role } from '../domain/event/agent-event.ts';
import { fenced } from '../domain/event/event-errors.ts';

const casesOf = (world: World, sessionId: Parameters<typeof rowsOf>[1]) =>
  rowsOf(world, sessionId).map(({ data }) => data.case);
const terminals = ['runEnd', 'runError'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('driving a run to its end', () => {
  test('stores what the executor says, completes, and takes the next run', async () => {
    const world = inMemoryWorld();
    const { run, sessionId, executor } = await startedRun(world);
    executor.say(textStart('b'), textDelta('b', 0, 'hé'), textEnd('b', 3));
    executor.checkpoint([assistantMessage('m-b')], [contextRow('m-b', run.id, role.assistant)]);
    executor.finish();
    await settled();
    expect(casesOf(world, sessionId)).toEqual([
      ...['runStart', 'spanStart', 'message', 'textStart', 'textDelta', 'textEnd', 'message', 'spanEnd', 'runEnd'],
    ]);
    expect(executor.acks).toEqual([{ index: 1n, isCancelRequested: false }]);
    expect(await world.runs.find(sessionId, run.id)).toEqual({
      ...run,
      sealedToken: '',
      status: 'COMPLETED',
      ownerId: undefined,
      terminalSeq: 9,
      ending: { status: 'COMPLETED', finishReason: 1, usage: undefined },
      endedAtMs: world.clock.nowMs(),
    });
    expect(world.exported.map(({ span, end }) => [span, end.status])).toEqual([[run.span.span, 1]]);
    const next = await startRunIn(world, sessionId);
    next.executor.finish();
    await settled();
    expect(rowsOf(world, sessionId).map(({ seq, epoch }) => [Number(seq), Number(epoch)])).toEqual([
      ...Array.from({ length: 9 }, (_, n) => [n + 1, 1]),
      ...Array.from({ length: 5 }, (_, n) => [n + 10, 2]),
    ]);
    expect(world.drivers.count).toBe(0);
    expect(world.lost).toEqual([]);
  });

  test('sends the dispatch with the caller and the stored dialogue, oldest first', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    first.executor.checkpoint([assistantMessage('a')], [contextRow('a', first.run.id, role.assistant)]);
    first.executor.finish();
    await settled();
    const { run, executor, sessionId } = await startRunIn(world, first.sessionId);
    const { history, ...dispatch } = executor.dispatch;
    const { epoch, attempt, span, options, deadlineAtMs } = run;
    const fresh = { spec: undefined, beginAtMs: undefined, turns: 0, results: [], answers: [], caller: alice };
    expect(dispatch).toEqual({ sessionId, runId: run.id, epoch, attempt, span, options, deadlineAtMs, ...fresh });
    const payloads = (await Array.fromAsync(history)).flatMap(({ messages }) => messages);
    expect(payloads).toEqual(world.store.sessions.get(sessionId)?.context.map(({ payload }) => payload));
    expect(payloads).toHaveLength(3);
  });

  test('cuts a large dialogue into frames that fit into a message', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    const { id } = first.run;
    const large = ['a', 'b', 'c'].map((messageId) => ({
      ...contextRow(messageId, id, role.assistant),
      payload: new Uint8Array(700_000),
    }));
    first.executor.checkpoint([], large);
    first.executor.finish();
    await settled();
    const { executor } = await startRunIn(world, first.sessionId);
    const frames = await Array.fromAsync(executor.dispatch.history);
    expect(frames.map(({ messages }) => messages.length)).toEqual([2, 1, 2]);
  });

  test('acknowledges a checkpoint only once it and all before it is committed', async () => {
    let commit = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const world = inMemoryWorld({
      log: (log) =>
        replaced(log, {
          async append(append) {
            await gate;
            return log.append(append);
          },
        }),
    });
    const { executor, run, sessionId } = await startedRun(world);
    executor.say(spanStart('00000000000000a1', run.span.span.id));
    executor.checkpoint([assistantMessage('a')], [contextRow('a', run.id, role.assistant)]);
    await settled();
    expect(executor.acks).toEqual([]);
    commit();
    await settled();
    expect(executor.acks).toEqual([{ index: 1n, isCancelRequested: false }]);
    expect(casesOf(world, sessionId).slice(3)).toEqual(['spanStart', 'message']);
  });

  test('ends as failed with what the executor failed with', async () => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    const error = { code: 4, reason: 36, message: 'out of time', retryable: false };
    executor.finish({ kind: 'failed', error });
    await settled();
    expect(rowsOf(world, sessionId).at(-1)?.data).toEqual({ case: 'runError', value: { error, usage: undefined } });
    expect(world.exported.map(({ end }) => end)).toEqual([{ status: 2, errorType: '36', attributes: {} }]);
    expect((await world.runs.find(sessionId, run.id))?.status).toBe('FAILED');
  });
});

describe('cancelling a driven run', () => {
  test('asks the executor to stop and ends once, as cancelled', async () => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    await world.cancelRun.execute({ caller: alice, sessionId, runId: undefined, reason: 'enough' });
    world.drivers.cancel(run.id);
    expect(executor.aborts).toEqual(['cancelled']);
    executor.finish({ kind: 'aborted' });
    await settled();
    const events = rowsOf(world, sessionId);
    expect(events.at(-1)?.data).toEqual({ case: 'runEnd', value: { outcome: 2, finishReason: 5, usage: undefined } });
    expect(events.filter(({ data }) => terminals.includes(data.case ?? ''))).toHaveLength(1);
    expect(await world.sessions.find(alice.uid, sessionId)).toMatchObject({ status: 'IDLE', activeRunId: undefined });
    expect(world.sent).toEqual([run.id]);
  });

  test.each(['completed', 'failed', 'lost'] as const)('wins over an executor that is %s afterwards', async (how) => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    await world.cancelRun.execute({ caller: alice, sessionId, runId: run.id, reason: '' });
    const error = { code: 13, reason: 99, message: '', retryable: false };
    const ends = {
      completed: () => executor.finish(),
      failed: () => executor.finish({ kind: 'failed', error }),
      lost: () => executor.lose(),
    };
    ends[how]();
    await settled();
    expect((await world.runs.find(sessionId, run.id))?.status).toBe('CANCELLED');
    expect(casesOf(world, sessionId).filter((name) => terminals.includes(name ?? ''))).toEqual(['runEnd']);
  });

  test('comes too late once the run is over, and says how it ended', async () => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    executor.finish();
    await settled();
    const answer = await world.cancelRun.execute({ caller: alice, sessionId, runId: run.id, reason: '' });
    expect([answer.isAccepted, answer.run.status]).toEqual([false, 'COMPLETED']);
    expect(executor.aborts).toEqual([]);
  });

  test('tells the executor with the next acknowledgement', async () => {
    const world = inMemoryWorld();
    const { executor, run } = await startedRun(world);
    world.drivers.cancel(run.id);
    executor.checkpoint([durable({ case: 'usage', value: {} })]);
    await settled();
    expect(executor.acks).toEqual([{ index: 1n, isCancelRequested: true }]);
  });
});

describe('losing a run', () => {
  test('says nothing more once it is fenced, and stops the executor', async () => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    const entry = world.store.sessions.get(sessionId);
    Object.assign(entry ?? {}, { session: { ...entry?.session, epoch: 2 } });
    executor.say(textStart('b'));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    expect(executor.signal.aborted).toBe(true);
    expect(world.lost).toEqual([{ run, error: fenced() }]);
    expect(casesOf(world, sessionId)).toEqual(['runStart', 'spanStart', 'message']);
    expect(world.drivers.count).toBe(0);
  });

  test('breaks the executor off when it goes on after its finish', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    executor.finish();
    executor.say(textStart('late'));
    await settled();
    expect(executor.signal.aborted).toBe(true);
    expect(casesOf(world, sessionId).at(-1)).toBe('runEnd');
  });

  test('keeps the sessions of others apart', async () => {
    const world = inMemoryWorld();
    const [first, second] = [await startedRun(world), await startRunIn(world, await openSession(world))];
    first.executor.fail();
    second.executor.say(result('x'));
    second.executor.finish();
    await settled();
    expect(casesOf(world, first.sessionId).at(-1)).toBe('runError');
    expect(casesOf(world, second.sessionId).at(-1)).toBe('runEnd');
  });
});
