import type { RunId } from '@spanwise/kernel';
import { DomainError } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runOf, type Started, said, until, withCalls } from '../../tests/doubles/driving.ts';
import { replaced } from '../../tests/doubles/replaced.ts';
import { durable, textStart } from '../../tests/doubles/said.ts';
import {
  alice,
  inMemoryWorld,
  instanceId,
  options,
  settled,
  startedRun,
  startRunIn,
  type World,
} from '../../tests/doubles/world.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A run that has a message in the context, and has written a file; the session has answered something before. */
async function writingRun(world: World): Promise<Started> {
  const started = await withCalls(world);
  world.runFiles.write(started.run.id, '/out/a');
  return started;
}

/** A request for another run, in place of the active one. */
async function rollBack(world: World, { sessionId }: Started, requestId = 'again'): Promise<RunId> {
  const asked = { options, requestId, busyPolicy: 'rollback' } as const;
  const { run } = await world.startRun.execute({ caller: alice, sessionId, input: [['instead']], ...asked });
  await settled();
  return run.id;
}

const runIdsOf = async (world: World, { sessionId }: Started) =>
  (await world.context.read(sessionId, 0, 99)).map(({ runId }) => runId);

const endOf = (world: World, started: Started) =>
  said(world, started)
    .slice(0, said(world, started).findIndex((data) => data.case === 'runEnd') + 1)
    .slice(-2);

const runEnd = { case: 'runEnd', value: { outcome: 2, finishReason: 5, usage: undefined } };

describe('a run that is rolled back', () => {
  test('while it runs takes its files and its messages back, before the next one begins', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    const next = await rollBack(world, started);
    started.executor.finish({ kind: 'aborted' });
    await until(() => world.runtime.executions.length === 2);
    expect(await runOf(world, started)).toMatchObject({ status: 'CANCELLED', rollsBack: true });
    expect([world.runFiles.calls, world.runFiles.stateOf(started.run.id)]).toEqual([['rollback 1'], 'rolled-back']);
    const value = { firstContextSeq: 1n, lastContextSeq: 3n, fileChanges: 1, filesPublished: false };
    expect(endOf(world, started)).toEqual([{ case: 'runRolledBack', value }, runEnd]);
    // What the next one is told is only its own input, under a place that was never used.
    expect(await world.context.read(started.sessionId, 0, 99)).toMatchObject([{ runId: next, seq: 4 }]);
    expect((await Array.fromAsync(world.runtime.last.dispatch.history)).flat()).toHaveLength(1);
    expect(world.exported.find(({ name }) => name === 'RollbackRun')?.end.status).toBe(1);
  });

  test('leaves the context as it was before it', async () => {
    const world = inMemoryWorld();
    const first = await startedRun(world);
    first.executor.finish();
    await settled();
    const before = await world.context.read(first.sessionId, 0, 99);
    const second = await startRunIn(world, first.sessionId);
    const next = await rollBack(world, first);
    second.executor.finish({ kind: 'aborted' });
    await until(() => world.runtime.executions.length === 3);
    expect((await world.context.read(first.sessionId, 0, 99)).slice(0, -1)).toEqual(before);
    expect(await runIdsOf(world, first)).toEqual([first.run.id, next]);
  });

  test('and has written nothing takes its messages back, and asks filesystem nothing', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    started.executor.say(textStart('b'));
    await rollBack(world, started);
    started.executor.finish({ kind: 'aborted' });
    await until(() => world.runtime.executions.length === 2);
    const value = { firstContextSeq: 1n, lastContextSeq: 1n, fileChanges: 0, filesPublished: false };
    expect(endOf(world, started)).toEqual([{ case: 'runRolledBack', value }, runEnd]);
    expect(world.runFiles.calls).toEqual([]);
  });

  test('while it waits for its user is taken and ended where the request arrives', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    const interrupt = { id: 'i1', kind: 1, callId: 'c1', message: 'which one?', schemaJson: '{}' };
    started.executor.say(durable({ case: 'interrupt', value: { interrupt } }));
    started.executor.yield('waiting');
    await until(() => world.drivers.count === 0);
    const next = await rollBack(world, started);
    await until(() => world.runtime.executions.length === 2);
    expect((await runOf(world, started))?.status).toBe('CANCELLED');
    expect([world.runFiles.calls, await runIdsOf(world, started)]).toEqual([['rollback 2'], [next]]);
  });

  test('once it is FINISHING ends as it was decided, and the next one begins after it', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    const answer = Promise.withResolvers<void>();
    world.runFiles.onCall = () => answer.promise;
    started.executor.finish();
    await until(() => world.runFiles.calls.length === 1);
    const next = await rollBack(world, started);
    answer.resolve();
    await until(() => world.runtime.executions.length === 2);
    expect(await runOf(world, started)).toMatchObject({ status: 'COMPLETED', rollsBack: false });
    expect([world.runFiles.calls, world.runtime.last.dispatch.runId]).toEqual([['commit 1'], next]);
    expect(new Set(await runIdsOf(world, started))).toEqual(new Set([started.run.id, next]));
    expect(said(world, started).map((data) => data.case)).not.toContain('runRolledBack');
  });

  test('by a process that did not hear of it is rolled back where it is taken over', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.drivers.loseAll();
    await until(() => world.drivers.count === 0);
    const next = await rollBack(world, started);
    const other = inMemoryWorld({ store: world.store, runFiles: world.runFiles });
    other.own.id = '00000000-0000-7000-8000-0000000000ff';
    await world.instances.remove(instanceId);
    await other.takeOver.execute();
    await until(() => other.runtime.executions.length === 1);
    expect([world.runFiles.calls, other.runtime.last.dispatch.runId]).toEqual([['rollback 2'], next]);
    expect([(await runOf(other, started))?.status, await runIdsOf(world, started)]).toEqual(['CANCELLED', [next]]);
  });

  test('after it was cancelled and published says that its files stay', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    const answer = Promise.withResolvers<void>();
    world.runFiles.onCall = () => answer.promise;
    await world.cancelRun.execute({ caller: alice, sessionId: started.sessionId, runId: undefined, reason: '' });
    started.executor.finish({ kind: 'aborted' });
    await until(() => world.runFiles.calls.length === 1);
    const next = await rollBack(world, started);
    answer.resolve();
    await until(() => world.drivers.count === 0);
    // It can not end as it was going to: whoever takes it decides by the mark.
    expect(await runOf(world, started)).toMatchObject({ status: 'RUNNING', ownerId: undefined });
    expect(world.released.map(({ id }) => id)).toEqual([started.run.id]);
    await world.takeOver.execute();
    await until(() => world.runtime.executions.length === 2);
    const value = { firstContextSeq: 1n, lastContextSeq: 3n, fileChanges: 0, filesPublished: true };
    expect(endOf(world, started)).toEqual([{ case: 'runRolledBack', value }, runEnd]);
    expect([world.runFiles.calls, await runIdsOf(world, started)]).toEqual([['commit 1', 'rollback 2'], [next]]);
  });

  test('is rolled back once, though the answer to its end is lost', async () => {
    let isCut = true;
    const world = inMemoryWorld({
      runs: (runs) =>
        replaced(runs, {
          async finish(finish) {
            const next = await runs.finish(finish);
            if (isCut) {
              isCut = false;
              throw new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');
            }
            return next;
          },
        }),
    });
    const started = await writingRun(world);
    await rollBack(world, started);
    started.executor.finish({ kind: 'aborted' });
    await until(() => world.drivers.count === 0);
    const cases = said(world, started).map((data) => data.case);
    expect(cases.filter((name) => name === 'runRolledBack' || name === 'runEnd')).toEqual(['runRolledBack', 'runEnd']);
  });

  test('ends although filesystem stays away; its files are never published', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.failure = new DomainError('unavailable', 'SERVICE_UNAVAILABLE', 'away');
    await rollBack(world, started);
    started.executor.finish({ kind: 'aborted' });
    world.clock.advance(60_001);
    await until(() => world.runtime.executions.length === 2);
    const value = { firstContextSeq: 1n, lastContextSeq: 3n, fileChanges: 0, filesPublished: false };
    expect(endOf(world, started)).toEqual([{ case: 'runRolledBack', value }, runEnd]);
    expect([world.runFiles.stateOf(started.run.id), world.unpublished]).toEqual(['open', [world.runFiles.failure]]);
  });
});

test('a repeated request for a rollback answers its run, and takes nothing more back', async () => {
  const world = inMemoryWorld();
  const started = await writingRun(world);
  const next = await rollBack(world, started);
  started.executor.finish({ kind: 'aborted' });
  await until(() => world.runtime.executions.length === 2);
  expect(await rollBack(world, started)).toBe(next);
  expect(await runOf(world, { ...started, run: { ...started.run, id: next } })).toMatchObject({
    ...{ status: 'RUNNING', rollsBack: false, cancelRequestedAtMs: undefined },
  });
});
