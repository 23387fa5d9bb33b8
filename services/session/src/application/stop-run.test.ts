import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runOf, until } from '../../tests/doubles/driving.ts';
import { spanStart } from '../../tests/doubles/said.ts';
import { alice, inMemoryWorld, settled, startedRun } from '../../tests/doubles/world.ts';
import { spanKind } from '../domain/event/agent-event.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the fences of a run that is cancelled', () => {
  const cancelled = async (kind: number) => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    executor.say(spanStart('00000000000000a1', run.span.span.id, {}, 0, kind));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    await world.cancelRun.execute({ caller: alice, sessionId, runId: run.id, reason: '' });
    await settled();
    return world;
  };

  test('are stopped at once while the model answers', async () => {
    const { fences } = await cancelled(3);
    expect(fences.stopped).toHaveLength(1);
  });

  test('are stopped half a second later while a tool is at work, which its executor is asked to stop first', async () => {
    const { fences } = await cancelled(spanKind.tool);
    vi.advanceTimersByTime(490);
    await settled();
    expect(fences.stopped).toHaveLength(0);
    vi.advanceTimersByTime(20);
    await settled();
    expect(fences.stopped).toHaveLength(1);
  });
});

describe('the receipt of a cancel', () => {
  test('says of everything that was going on how it ended', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    const { executor, run, sessionId } = started;
    const root = run.span.span.id;
    const attributes = { 'gen_ai.tool.call.id': 'c1' };
    executor.say(spanStart('00000000000000a1', root), spanStart('00000000000000a2', '00000000000000a1', attributes));
    executor.say(spanStart('00000000000000a3', '00000000000000a1'));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    world.fences.calls = [{ callId: 'c1', outcome: 'unstoppable' }];
    const cancelled = world.cancelRun.execute({ caller: alice, sessionId, runId: run.id, reason: '', waits: true });
    await until(() => executor.aborts.length === 1);
    executor.finish({ kind: 'aborted' });
    await until(() => world.drivers.count === 0);
    const answer = await cancelled;
    expect(answer.run.status).toBe('CANCELLED');
    expect(answer.run.ending?.receipt?.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['00000000000000a3', 'stopped'],
      ['00000000000000a2', 'unstoppable'],
      ['00000000000000a1', 'stopped'],
    ]);
  });

  test('keeps what tool-host has told when filesystem has to be asked again', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    const { executor, run, sessionId } = started;
    executor.say(spanStart('00000000000000a1', run.span.span.id, { 'gen_ai.tool.call.id': 'c1' }));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    world.fences.calls = [{ callId: 'c1', outcome: 'finished' }];
    world.fences.isHalfDeaf = true;
    await world.cancelRun.execute({ caller: alice, sessionId, runId: run.id, reason: '' });
    executor.finish({ kind: 'aborted' });
    await until(() => world.drivers.count === 0);
    expect(world.fences.stopped).toHaveLength(2);
    expect((await runOf(world, started))?.ending?.receipt).toMatchObject([{ outcome: 'finished' }]);
  });

  test('calls unstoppable what an executor that does not react was doing', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    started.executor.say(spanStart('00000000000000a1', started.run.span.span.id));
    await settled();
    vi.advanceTimersByTime(20);
    await settled();
    await world.cancelRun.execute({ caller: alice, sessionId: started.sessionId, runId: undefined, reason: '' });
    vi.advanceTimersByTime(5100);
    await until(() => world.drivers.count === 0);
    expect((await runOf(world, started))?.ending?.receipt).toMatchObject([{ outcome: 'unstoppable' }]);
    expect((await runOf(world, started))?.status).toBe('CANCELLED');
  });
});
