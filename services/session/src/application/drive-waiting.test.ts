import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { redispatched, runOf, type Started, said, until, withCalls } from '../../tests/doubles/driving.ts';
import { durable, spanStart } from '../../tests/doubles/said.ts';
import { alice, inMemoryWorld, rowsOf, settled, startedRun, type World } from '../../tests/doubles/world.ts';
import { attemptReason } from '../domain/event/agent-event.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a run that waits for its user', () => {
  const interrupt = { id: 'i1', kind: 1, callId: 'c1', message: 'which one?', schemaJson: '{}' };

  async function waitingRun(world: World): Promise<Started> {
    const started = await withCalls(world);
    started.executor.say(durable({ case: 'interrupt', value: { interrupt } }));
    started.executor.yield('waiting');
    await until(() => world.drivers.count === 0);
    return started;
  }

  const answer = (started: Started, answerJson = '"a"') => ({
    caller: alice,
    sessionId: started.sessionId,
    runId: started.run.id,
    interruptId: 'i1',
    answerJson,
  });

  test('sleeps without an owner, and goes on with the answer', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    expect(await runOf(world, started)).toMatchObject({ status: 'WAITING', ownerId: undefined });
    expect(said(world, started).at(-1)).toEqual({ case: 'runWaiting', value: { interrupts: [interrupt] } });
    expect((await world.answerInterrupt.execute(answer(started))).status).toBe('RUNNING');
    await redispatched(world);
    const told = { interruptId: 'i1', callId: 'c1', answerJson: '"a"', expired: false, answeredBy: 'alice' };
    expect(world.runtime.last.dispatch).toMatchObject({ epoch: 2, answers: [told], results: [{ callId: 'c2' }] });
    expect(said(world, started).slice(-2)).toEqual([
      { case: 'interruptAnswered', value: { answer: told } },
      { case: 'runAttempt', value: { attempt: 2, reason: attemptReason.resumed } },
    ]);
    // The answer is not lost with the executor that was told it.
    world.runtime.last.lose();
    await redispatched(world, 3);
    expect(world.runtime.last.dispatch.answers).toEqual([told]);
  });

  test('has used none of its agent’s time by that', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    const beganMs = world.clock.nowMs();
    expect(started.executor.dispatch.beginAtMs).toBeUndefined();
    started.executor.say(spanStart('00000000000000a1', started.run.span.span.id, {}, beganMs));
    started.executor.say(durable({ case: 'interrupt', value: { interrupt } }));
    world.clock.advance(1000);
    started.executor.yield('waiting');
    await until(() => world.drivers.count === 0);
    world.clock.advance(86_400_000);
    await world.answerInterrupt.execute(answer(started));
    await redispatched(world);
    expect(world.runtime.last.dispatch.beginAtMs).toBe(beganMs + 86_400_000);
    // What a lost dispatch has used is gone.
    world.clock.advance(5000);
    world.runtime.last.lose();
    await redispatched(world, 3);
    expect(world.runtime.last.dispatch.beginAtMs).toBe(beganMs + 86_400_000);
  });

  test('does not wait for what was answered before it began to', async () => {
    const world = inMemoryWorld();
    const started = await withCalls(world);
    started.executor.say(durable({ case: 'interrupt', value: { interrupt } }));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    expect((await world.answerInterrupt.execute(answer(started))).status).toBe('RUNNING');
    started.executor.yield('waiting');
    await redispatched(world);
    expect(world.runtime.last.dispatch.answers).toMatchObject([{ interruptId: 'i1' }]);
    expect(said(world, started).map((data) => data.case)).not.toContain('runWaiting');
  });

  test('refuses another answer, and one to nothing', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    await world.answerInterrupt.execute(answer(started));
    await world.answerInterrupt.execute(answer(started));
    await expect(world.answerInterrupt.execute(answer(started, '"b"'))).rejects.toMatchObject({
      reason: 'INTERRUPT_ANSWERED',
    });
    const nothing = { ...answer(started), interruptId: 'i9' };
    await expect(world.answerInterrupt.execute(nothing)).rejects.toMatchObject({ reason: 'INTERRUPT_NOT_FOUND' });
  });

  test('is cancelled where the cancel arrives', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    await world.cancelRun.execute({ caller: alice, sessionId: started.sessionId, runId: undefined, reason: '' });
    await until(() => rowsOf(world, started.sessionId).at(-1)?.data.case === 'runEnd');
    expect((await runOf(world, started))?.status).toBe('CANCELLED');
    expect(world.runtime.executions).toHaveLength(1);
    const results = said(world, started).filter((data) => data.case === 'toolResult');
    expect(results).toHaveLength(2);
  });
});
