import { DomainError } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runOf, type Started, said, until, withCalls } from '../../tests/doubles/driving.ts';
import { fileAt } from '../../tests/doubles/fake-run-files.ts';
import { abandoned, callStart } from '../../tests/doubles/said.ts';
import { alice, inMemoryWorld, instanceId, settled, startedRun, type World } from '../../tests/doubles/world.ts';
import type { RunOptions, RunStatus } from '../domain/run/run.ts';
import type { ExecutorOutcome } from './ports/agent-runtime.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const away = new DomainError('unavailable', 'SERVICE_UNAVAILABLE', 'away');
const error = { code: 13, reason: 99, message: 'broken', retryable: false };
const completed: ExecutorOutcome = { kind: 'completed', finishReason: 1 };
const failed: ExecutorOutcome = { kind: 'failed', error };
const reasonOf = { PUBLISH_CONFLICT: 74, SERVICE_UNAVAILABLE: 84, QUOTA_EXCEEDED: 71 };

/** A run that has written two files. */
async function writingRun(world: World, options: Partial<RunOptions> = {}): Promise<Started> {
  const started = await withCalls(world, options);
  world.runFiles.write(started.run.id, '/out/a');
  world.runFiles.write(started.run.id, '/out/b');
  return started;
}

type Outcome = 'COMPLETED' | 'FAILED' | 'CANCELLED';

/** Lets a run come to its end. */
async function end(world: World, started: Started, outcome: Outcome): Promise<void> {
  if (outcome === 'CANCELLED') {
    await world.cancelRun.execute({ caller: alice, sessionId: started.sessionId, runId: undefined, reason: '' });
  }
  started.executor.finish({ COMPLETED: completed, FAILED: failed, CANCELLED: { kind: 'aborted' } as const }[outcome]);
  await settled();
}

const casesFrom = (world: World, started: Started, first: string) => {
  const cases = said(world, started).map((data) => data.case);
  return cases.slice(cases.lastIndexOf(first as 'spanStart'));
};

const outcomes: readonly Outcome[] = ['COMPLETED', 'FAILED', 'CANCELLED'];

describe('a run that has written files', () => {
  test.for(outcomes)('publishes them when it is %s, before it ends', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    const statuses: (RunStatus | undefined)[] = [];
    world.runFiles.onCall = async () => void statuses.push((await runOf(world, started))?.status);
    await end(world, started, outcome);
    // FAILED and COMPLETED are decided by then, so that nobody dispatches it again; CANCELLED is, by its flag.
    expect(statuses).toEqual([outcome === 'CANCELLED' ? 'RUNNING' : 'FINISHING']);
    expect(await runOf(world, started)).toMatchObject({ status: outcome, ending: { status: outcome } });
    expect([world.runFiles.calls, world.runFiles.publications]).toEqual([['commit 1'], 1]);
    expect(casesFrom(world, started, 'spanStart')).toEqual([
      ...['spanStart', 'spanEnd', 'spanEnd', 'outputFile', 'outputFile', outcome === 'FAILED' ? 'runError' : 'runEnd'],
    ]);
    const outputs = said(world, started).filter((data) => data.case === 'outputFile');
    expect(outputs.map(({ value }) => value)).toEqual([fileAt('/out/a'), fileAt('/out/b')]);
    expect(world.unpublished).toEqual([]);
  });

  test('asks for its user, under a span of its own', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    await end(world, started, 'COMPLETED');
    const [request] = world.runFiles.requests;
    const { span, traceId, traceFlags } = started.run.span;
    const own = { id: request?.span.span.id ?? '', par: span.id };
    expect(request).toEqual({
      runId: started.run.id,
      epoch: 1,
      caller: alice,
      span: { span: own, traceId, traceFlags },
    });
    const [exported] = world.exported;
    expect(exported).toMatchObject({ span: own, kind: 5, name: 'CommitRun', service: 'session', end: { status: 1 } });
  });

  test.for(['FAILED', 'CANCELLED'] as const)('drops them when it is %s and was told to', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world, { onCancel: 'drop' });
    await end(world, started, outcome);
    expect((await runOf(world, started))?.status).toBe(outcome);
    expect([world.runFiles.calls, world.runFiles.stateOf(started.run.id)]).toEqual([['rollback 1'], 'rolled-back']);
    expect(casesFrom(world, started, 'spanStart')).toEqual([
      ...['spanStart', 'spanEnd', 'spanEnd', outcome === 'FAILED' ? 'runError' : 'runEnd'],
    ]);
    // Its messages stay.
    expect(await world.context.read(started.sessionId, 0, 9)).toHaveLength(3);
  });

  test('publishes them when it completes, whatever is to become of them if it does not', async () => {
    const world = inMemoryWorld();
    await end(world, await writingRun(world, { onCancel: 'drop' }), 'COMPLETED');
    expect(world.runFiles.calls).toEqual(['commit 1']);
  });

  test('tells of 1000 at most', async () => {
    const world = inMemoryWorld();
    const started = await withCalls(world);
    Array.from({ length: 1005 }, (_, n) => world.runFiles.write(started.run.id, `/out/${n}`));
    await end(world, started, 'COMPLETED');
    expect(said(world, started).filter((data) => data.case === 'outputFile')).toHaveLength(1000);
  });

  test.for(outcomes)('tells what could be published, and operators of the rest, when it is %s', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.write(started.run.id, '/remote/c', 'refuses');
    await end(world, started, outcome);
    expect((await runOf(world, started))?.status).toBe(outcome);
    const outputs = said(world, started).filter((data) => data.case === 'outputFile');
    expect(outputs.map(({ value }) => value)).toEqual([fileAt('/out/a'), fileAt('/out/b')]);
    expect(world.unpublished).toMatchObject([{ result: 'partial', unpublished: ['/remote/c'] }]);
  });

  test.for(outcomes)('ends as %s with a conflict: as FAILED, unless it has failed by itself', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.changedByOthers.add('/out/b');
    await end(world, started, outcome);
    const told = { code: 10, reason: reasonOf.PUBLISH_CONFLICT, message: expect.any(String), retryable: false };
    const ending = { status: 'FAILED', error: outcome === 'FAILED' ? error : told };
    const run = await runOf(world, started);
    expect(run).toMatchObject({ status: 'FAILED', ending });
    expect(run?.ending?.receipt).toEqual(outcome === 'CANCELLED' ? [] : undefined);
    expect(said(world, started).at(-1)).toEqual({ case: 'runError', value: { error: ending.error, usage: undefined } });
    expect(said(world, started).map((data) => data.case)).not.toContain('outputFile');
    expect([world.runFiles.stateOf(started.run.id), world.runFiles.publications]).toEqual(['conflict', 0]);
    expect(world.exported.find(({ name }) => name === 'CommitRun')?.end).toMatchObject({
      ...{ status: 2, errorType: 'PUBLISH_CONFLICT' },
    });
  });

  test.for(outcomes)('waits for a filesystem that is away, when it is %s', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.failure = away;
    await end(world, started, outcome);
    await until(() => world.runFiles.calls.length === 4);
    world.runFiles.failure = undefined;
    await until(() => world.drivers.count === 0);
    expect((await runOf(world, started))?.status).toBe(outcome);
    expect([world.runFiles.publications, world.unpublished]).toEqual([1, Array(4).fill('again')]);
  });

  test.for(outcomes)('ends as %s without it after a minute; only what has completed fails', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.failure = away;
    await end(world, started, outcome);
    world.clock.advance(59_900);
    await until(() => world.runFiles.calls.length === 2);
    expect(world.drivers.count).toBe(1);
    world.clock.advance(101);
    await until(() => world.drivers.count === 0);
    const told = { reason: reasonOf.SERVICE_UNAVAILABLE, retryable: true };
    expect(await runOf(world, started)).toMatchObject(
      outcome === 'CANCELLED' ? { status: 'CANCELLED' } : { ending: { error: outcome === 'FAILED' ? error : told } },
    );
    // It is its owner's, who can still publish it.
    expect([world.runFiles.stateOf(started.run.id), world.unpublished.at(-1)]).toEqual(['open', away]);
  });

  test('waits no longer than that after its cancel, whoever has it', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.failure = away;
    await world.runs.requestCancel(started.sessionId, started.run.id, '', world.clock.nowMs() - 61_000);
    started.executor.finish({ kind: 'aborted' });
    await until(() => world.drivers.count === 0);
    expect([(await runOf(world, started))?.status, world.runFiles.calls]).toEqual(['CANCELLED', ['commit 1']]);
  });

  test.for(outcomes)('ends as %s with what filesystem refuses; only what has completed fails', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.failure = new DomainError('exhausted', 'QUOTA_EXCEEDED', 'full');
    await end(world, started, outcome);
    const told = { reason: reasonOf.QUOTA_EXCEEDED, message: 'full' };
    expect(await runOf(world, started)).toMatchObject(
      outcome === 'CANCELLED' ? { status: 'CANCELLED' } : { ending: { error: outcome === 'FAILED' ? error : told } },
    );
    expect([world.runFiles.calls, world.unpublished]).toEqual([['commit 1'], [world.runFiles.failure]]);
  });

  test('is given up where filesystem says that it is somebody else’s', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.lowestEpoch = 2;
    await end(world, started, 'COMPLETED');
    expect(world.lost).toMatchObject([{ error: { reason: 'FENCED' } }]);
    expect((await runOf(world, started))?.status).toBe('FINISHING');
  });

  test('is given up where its lease is lost while filesystem is away', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.failure = away;
    await end(world, started, 'COMPLETED');
    world.drivers.loseAll();
    await until(() => world.drivers.count === 0);
    expect([world.lost.length, (await runOf(world, started))?.status]).toEqual([1, 'FINISHING']);
  });

  test('goes to another replica when its own shuts down while filesystem is away', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.runFiles.failure = away;
    await end(world, started, 'COMPLETED');
    await world.drivers.leave(0);
    expect(world.released.map(({ id }) => id)).toEqual([started.run.id]);
    expect(await runOf(world, started)).toMatchObject({ status: 'FINISHING', ownerId: undefined });
  });
});

describe('a run that has written nothing', () => {
  test.for(outcomes)('publishes nothing when it is %s', async (outcome) => {
    const world = inMemoryWorld();
    const started = await startedRun(world, { onCancel: outcome === 'FAILED' ? 'drop' : 'keep' });
    await end(world, started, outcome);
    expect((await runOf(world, started))?.status).toBe(outcome);
    expect(world.runFiles.calls).toEqual([]);
    expect(said(world, started).map((data) => data.case)).toEqual([
      'spanEnd',
      outcome === 'FAILED' ? 'runError' : 'runEnd',
    ]);
  });

  test('is not one whose call belongs to a message that was abandoned: it may have been executed', async () => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    started.executor.say(callStart('c', 'm'), abandoned('m'));
    await end(world, started, 'COMPLETED');
    expect(world.runFiles.calls).toEqual(['commit 1']);
  });
});

describe('a run that is taken over before it was finished', () => {
  /** Another process takes it, on the same database and the same files. */
  async function takenOver(world: World): Promise<World> {
    await until(() => world.drivers.count === 0);
    const other = inMemoryWorld({ store: world.store, runFiles: world.runFiles });
    other.own.id = '00000000-0000-7000-8000-0000000000ff';
    await world.instances.remove(instanceId);
    await other.takeOver.execute();
    return other;
  }

  test.for(outcomes)('ends as %s, was published once, and is dispatched no more', async (outcome) => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    // The answer to CommitRun does not arrive any more.
    world.runFiles.onCall = async () => world.drivers.loseAll();
    await end(world, started, outcome);
    expect(world.runFiles.publications).toBe(1);
    world.runFiles.onCall = async () => undefined;
    const other = await takenOver(world);
    await until(() => other.drivers.count === 0);
    expect(await runOf(other, started)).toMatchObject({ status: outcome, epoch: 2, attempt: 2 });
    expect([world.runFiles.calls, world.runFiles.publications]).toEqual([['commit 1', 'commit 2'], 1]);
    expect(other.runtime.executions).toEqual([]);
    const cases = said(other, started).map((data) => data.case);
    expect(cases.filter((name) => name === 'outputFile' || name === 'runEnd' || name === 'runError')).toEqual([
      ...['outputFile', 'outputFile', outcome === 'FAILED' ? 'runError' : 'runEnd'],
    ]);
  });

  test('is dispatched again when nothing was decided, and publishes what all its dispatches have written', async () => {
    const world = inMemoryWorld();
    const started = await writingRun(world);
    world.drivers.loseAll();
    const other = await takenOver(world);
    await until(() => other.runtime.executions.length === 1);
    other.runtime.last.finish();
    await until(() => other.drivers.count === 0);
    expect([world.runFiles.calls, (await runOf(other, started))?.status]).toEqual([['commit 2'], 'COMPLETED']);
  });
});
