import { DomainError } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { redispatched, runOf, said, until, withCalls } from '../../tests/doubles/driving.ts';
import {
  assistantMessage,
  callStart,
  contextRow,
  durable,
  message,
  result,
  spanStart,
  textDelta,
  textStart,
} from '../../tests/doubles/said.ts';
import { alice, inMemoryWorld, instanceId, settled, startedRun } from '../../tests/doubles/world.ts';
import { attemptReason, role } from '../domain/event/agent-event.ts';
import { isPoisoned } from '../domain/run/run.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a run whose executor is lost', () => {
  test('is claimed, fenced and dispatched again, in an epoch of its own', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    started.executor.say(
      spanStart('00000000000000a1', started.run.span.span.id),
      textStart('b'),
      textDelta('b', 0, 'x'),
    );
    started.executor.lose();
    await redispatched(world);
    expect(world.fences.raised).toEqual([{ sessionId: started.sessionId, epoch: 2 }]);
    expect(world.runtime.last.dispatch).toMatchObject({ runId: started.run.id, epoch: 2, attempt: 2 });
    expect(said(world, started).at(-1)).toEqual({
      case: 'runAttempt',
      value: { attempt: 2, reason: attemptReason.executorLost },
    });
    expect(world.exported.map(({ span, end }) => [span.id, end.status])).toEqual([['00000000000000a1', 4]]);
    world.runtime.last.finish();
    await settled();
    expect(await runOf(world, started)).toMatchObject({ status: 'COMPLETED', epoch: 2, attempt: 2, lostAttempts: 1 });
    expect(said(world, started).map((data) => data.case)).not.toContain('messageAbandoned');
  });

  test('is told what it has said and what its calls answered', async () => {
    const world = inMemoryWorld();
    const started = await withCalls(world);
    started.executor.lose();
    await redispatched(world);
    const { results, spec, history } = world.runtime.last.dispatch;
    expect(results).toEqual([result('c2', 'two').data.value]);
    expect(spec).toEqual(new Uint8Array([1, 2, 3]));
    expect((await Array.fromAsync(history)).flatMap(({ messages }) => messages)).toHaveLength(2);
    expect((await runOf(world, started))?.lostAttempts).toBe(0);
  });

  test('is told the dialogues of its delegate calls that have no result, and how many turns it has taken', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    const { id } = started.run;
    const inThread = <Said extends object>(threadId: string, said: Said) => ({ ...said, threadId });
    const calls = ['d', 'e', 'f', 'g'].map((callId) => callStart(callId, 'm'));
    started.executor.checkpoint([...calls, assistantMessage('m')], [contextRow('m', id, role.assistant)]);
    for (const threadId of ['d', 'e']) {
      const [task, answer] = [`task ${threadId}`, `answer ${threadId}`];
      started.executor.checkpoint(
        [message(task, role.user), assistantMessage(answer)].map((event) => inThread(threadId, event)),
        [contextRow(task, id, role.user), contextRow(answer, id, role.assistant)].map((row) => inThread(threadId, row)),
      );
    }
    started.executor.say(result('e'), result('f'));
    await settled();
    started.executor.lose();
    await redispatched(world);
    const { history, turns, results } = world.runtime.last.dispatch;
    const pages = await Array.fromAsync(history);
    expect(pages.map(({ threadId, messages }) => [threadId, messages.length])).toEqual([
      ['', 2],
      ['d', 2],
    ]);
    expect([turns, results.map(({ callId }) => callId)]).toEqual([3, ['e', 'f']]);
  });

  test('waits until there is one again', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    world.runtime.isUp = false;
    started.executor.lose();
    for (let n = 0; n < 100; n += 1) {
      await settled();
      vi.advanceTimersByTime(100);
    }
    expect(world.runtime.executions).toHaveLength(1);
    world.runtime.isUp = true;
    await redispatched(world);
  });

  test('is not dispatched before the fences have answered', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    world.fences.failure = new DomainError('unavailable', 'SERVICE_UNAVAILABLE', 'away');
    started.executor.lose();
    for (let n = 0; n < 100; n += 1) {
      await settled();
      vi.advanceTimersByTime(100);
    }
    expect(world.runtime.executions).toHaveLength(1);
    world.fences.failure = undefined;
    await redispatched(world);
  });

  test('again and again without getting anywhere is given up, and frees its session', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    for (let n = 1; n <= 5; n += 1) {
      await redispatched(world, n);
      world.runtime.last.say(durable({ case: 'usage', value: {} }));
      await settled();
      world.runtime.last.lose();
    }
    await until(() => world.drivers.count === 0);
    const run = await runOf(world, started);
    expect(run).toMatchObject({ status: 'FAILED', attempt: 6, lostAttempts: 5, ending: { error: { reason: 39 } } });
    expect(run !== undefined && isPoisoned(run)).toBe(true);
    expect(world.fences.stopped).toEqual([{ sessionId: started.sessionId, epoch: 6 }]);
    expect((await world.sessions.find(alice.uid, started.sessionId))?.status).toBe('IDLE');
  });

  test('is cancelled and not dispatched when that was asked for meanwhile', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    world.runtime.isUp = false;
    started.executor.lose();
    await settled();
    await world.cancelRun.execute({ caller: alice, sessionId: started.sessionId, runId: undefined, reason: '' });
    await until(() => world.drivers.count === 0);
    expect((await runOf(world, started))?.status).toBe('CANCELLED');
    expect(world.runtime.executions).toHaveLength(1);
  });
});

describe('a run of a lost driver', () => {
  test('is taken with all that its log tells, and goes on', async () => {
    const world = inMemoryWorld();
    const started = await withCalls(world);
    started.executor.say(spanStart('00000000000000a1', started.run.span.span.id));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    world.drivers.loseAll();
    await settled();
    expect(world.drivers.count).toBe(0);
    world.own.id = '00000000-0000-7000-8000-0000000000ff';
    await world.takeOver.execute();
    expect(world.taken).toEqual([]);
    await world.instances.remove(instanceId);
    await world.takeOver.execute();
    await redispatched(world);
    expect(world.taken).toMatchObject([{ run: { ownerId: world.own.id }, reason: attemptReason.driverLost }]);
    expect(world.runtime.last.dispatch).toMatchObject({ epoch: 2, results: [{ callId: 'c2' }], caller: alice });
    expect(world.exported.map(({ span, end }) => [span.id, end.status])).toEqual([['00000000000000a1', 4]]);
    expect((await runOf(world, started))?.sealedToken).not.toContain(alice.token);
    world.runtime.last.fail();
    await settled();
    expect((await runOf(world, started))?.sealedToken, 'kept no longer than needed').toBe('');
    const ends = said(world, started).filter((data) => data.case === 'toolResult');
    expect(ends.map((data) => data.value)).toMatchObject([{ callId: 'c2' }, { callId: 'c1', outcome: 5 }]);
  });

  test('that was done already is only ended', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    const ending = { status: 'COMPLETED', finishReason: 3, usage: undefined } as const;
    await world.runs.beginFinishing(started.run.id, 1, ending);
    world.drivers.loseAll();
    await settled();
    await world.instances.remove(instanceId);
    await world.takeOver.execute();
    await settled();
    expect(await runOf(world, started)).toMatchObject({ status: 'COMPLETED', ending });
    expect(world.runtime.executions).toHaveLength(1);
  });

  test('whose owner does not react to its cancel is taken from it, and ended', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    started.executor.say(spanStart('00000000000000a1', started.run.span.span.id));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    await world.runs.requestCancel(started.sessionId, started.run.id, '', world.clock.nowMs() - 10_000);
    const other = inMemoryWorld({ store: world.store });
    other.own.id = '00000000-0000-7000-8000-0000000000ff';
    other.fences.failure = new DomainError('unavailable', 'SERVICE_UNAVAILABLE', 'away');
    await other.takeOver.execute();
    other.fences.failure = undefined;
    await until(() => other.drivers.count === 0);
    const run = await runOf(other, started);
    expect(run).toMatchObject({ status: 'CANCELLED', ending: { receipt: [{ id: '00000000000000a1' }] } });
    expect(other.runtime.executions).toHaveLength(0);
  });
});

describe('a run whose process shuts down', () => {
  test('is let go of when its executor yields, for another replica', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    const leaving = world.drivers.leave(20_000);
    await settled();
    expect(started.executor.detaches).toEqual([20_000]);
    started.executor.yield('detached');
    await leaving;
    expect(world.released.map(({ id }) => id)).toEqual([started.run.id]);
    expect(await runOf(world, started)).toMatchObject({ status: 'RUNNING', ownerId: undefined, epoch: 1 });
  });

  test('is let go of when its executor does not react', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    let isGone = false;
    void world.drivers.leave(20_000).then(() => {
      isGone = true;
    });
    await settled();
    vi.advanceTimersByTime(24_900);
    await settled();
    expect(isGone).toBe(false);
    vi.advanceTimersByTime(200);
    await until(() => isGone);
    expect(started.executor.signal.aborted).toBe(true);
    expect((await runOf(world, started))?.ownerId).toBeUndefined();
  });

  test('is ended there when its turn was the last', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    const leaving = world.drivers.leave(20_000);
    await settled();
    started.executor.finish();
    await leaving;
    expect((await runOf(world, started))?.status).toBe('COMPLETED');
    expect(world.released).toEqual([]);
  });

  test('goes on here when only its executor is shut down', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    started.executor.yield('detached');
    await redispatched(world);
    expect(said(world, started).at(-1)?.value).toEqual({ attempt: 2, reason: attemptReason.drained });
    expect((await runOf(world, started))?.lostAttempts).toBe(0);
  });
});

test('a run that is over its time, and whose executor does not say so, is ended', async () => {
  const world = inMemoryWorld();
  const started = await startedRun(world, { timeoutMs: 60_000 });
  vi.advanceTimersByTime(64_900);
  await settled();
  expect(started.executor.aborts).toEqual([]);
  vi.advanceTimersByTime(200);
  await settled();
  expect(started.executor.aborts).toEqual(['out of time']);
  vi.advanceTimersByTime(5100);
  await until(() => world.drivers.count === 0);
  expect((await runOf(world, started))?.ending).toMatchObject({ status: 'FAILED', error: { reason: 36 } });
});
