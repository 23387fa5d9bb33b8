import { create } from '@bufbuild/protobuf';
import { AgentErrorSchema, ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rollbackRequested } from '../src/domain/run/run-repository.ts';
import { alice, appendOf, eventAt, finishOf, planOf, startRequest } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';
import { cancelled, claimOf, completed, positionOf, runMoves, waitOf } from './run-moves.ts';

const failed = {
  status: 'FAILED',
  // As it comes from the wire.
  error: create(AgentErrorSchema, {
    ...{ code: 14, reason: ErrorReason.SERVICE_UNAVAILABLE, message: 'broken', retryable: true },
    retryAfter: { seconds: 2n ** 40n, nanos: 7 },
  }),
  usage: undefined,
} as const;

/** Runs that are rolled back for another one, whatever the repositories are made of. */
export function runRollbackContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());
  const { runs, startedRun, enqueue, interruptedRun, finished, current } = runMoves(() => repositories);

  test('sets flag and mark in one step, cancels what waits, and is the next', async () => {
    const { run } = await startedRun();
    const waiting = await enqueue(run.sessionId);
    const next = await enqueue(run.sessionId, 'rollback');
    const flag = { rollsBack: true, cancelRequestedAtMs: run.createdAtMs, cancelReason: 'rolled back for another run' };
    expect(await current(run)).toEqual({ ...run, ...flag });
    expect(await current(waiting)).toMatchObject({ status: 'CANCELLED', rollsBack: false });
    expect(await current(next)).toMatchObject({ status: 'QUEUED', rollsBack: false });
    expect(await runs().beginFinishing(run.id, run.epoch, completed)).toBe(false);
  });

  test('marks a run that was cancelled before, and keeps when and why', async () => {
    const { run } = await startedRun();
    await runs().requestCancel(run.sessionId, run.id, 'enough', 5);
    await enqueue(run.sessionId, 'rollback');
    expect(await current(run)).toMatchObject({ rollsBack: true, cancelRequestedAtMs: 5, cancelReason: 'enough' });
  });

  test('takes the messages of the run out of the context with its end, and of no other', async () => {
    const { run: first, position } = await startedRun();
    await repositories.log.append(appendOf(position));
    await runs().beginFinishing(first.id, first.epoch, completed);
    await runs().finish(finishOf({ ...position, lastSeq: 2, lastContextSeq: 2 }, completed));
    const before = await repositories.context.read(first.sessionId, 0, 99);
    expect(before.map(({ seq }) => seq)).toEqual([1, 2, 3]);

    const { sessionId } = first;
    const run = await begun(sessionId);
    const next = await enqueue(sessionId, 'rollback');
    await repositories.log.append(appendOf(run.position));
    expect(await repositories.context.rangeOf(sessionId, run.id)).toEqual({ firstSeq: 4, lastSeq: 5 });
    const { lastSeq, lastContextSeq } = run.position;
    const end = { ...run.position, lastSeq: lastSeq + 1, lastContextSeq: lastContextSeq + 1 };
    const begins = await finished(finishOf(end, cancelled, ids.uuid(), true));
    expect(begins).toMatchObject({ run: { id: next.id }, lastContextSeq: 7 });
    const after = await repositories.context.read(sessionId, 0, 99);
    expect(after.slice(0, 3)).toEqual(before);
    // Places of the context are never used again.
    expect(after.slice(3)).toMatchObject([{ seq: 7, runId: next.id }]);
    expect(await repositories.context.read(sessionId, 3, 1)).toEqual(after.slice(3));
    expect(await current(run)).toMatchObject({ status: 'CANCELLED', rollsBack: true, terminalSeq: end.lastSeq + 1 });
  });

  /** Another run in a session that is idle. */
  async function begun(sessionId: Parameters<typeof enqueue>[0]) {
    const request = startRequest(sessionId);
    const outcome = await runs().start(request, planOf({ requestId: request.requestId }));
    if (outcome.kind !== 'started') {
      throw new Error(outcome.kind);
    }
    return { ...outcome.started.run, position: positionOf(outcome.started) };
  }

  test.for([['cancelled', cancelled] as const, ['failed', failed] as const])(
    'refuses to end as %s a run that is to be rolled back, and changes nothing with that',
    async ([, ending]) => {
      const { run, position } = await startedRun();
      await enqueue(run.sessionId, 'rollback');
      const before = [await current(run), await repositories.sessions.find(alice, run.sessionId)];
      expect(await runs().finish(finishOf(position, ending, ids.uuid()))).toBe(rollbackRequested);
      expect([await current(run), await repositories.sessions.find(alice, run.sessionId)]).toEqual(before);
      expect(await repositories.log.read({ sessionId: run.sessionId, afterSeq: 0, limit: 9 })).toHaveLength(1);
      await runs().finish(finishOf(position, cancelled, ids.uuid(), true));
      expect((await current(run)).status).toBe('CANCELLED');
    },
  );

  test('does not roll back what nobody asked to', async () => {
    const { run, position } = await startedRun();
    await runs().requestCancel(run.sessionId, run.id, '', 5);
    const rollback = finishOf(position, cancelled, undefined, true);
    await expect(runs().finish(rollback)).rejects.toMatchObject({ reason: 'FENCED' });
    expect(await repositories.context.read(run.sessionId, 0, 9)).toHaveLength(1);
  });

  test('ends a rolled back run once: the same end again is fine', async () => {
    const { run, position } = await startedRun();
    await enqueue(run.sessionId, 'rollback');
    const finish = finishOf(position, cancelled, ids.uuid(), true);
    await runs().finish(finish);
    expect(await runs().finish(finish)).toBeUndefined();
    expect((await repositories.context.read(run.sessionId, 0, 9)).map(({ seq }) => seq)).toEqual([3]);
  });

  test('leaves a run alone whose end is decided', async () => {
    for (const ending of [completed, failed]) {
      const { run, position } = await startedRun();
      expect(await runs().beginFinishing(run.id, run.epoch, ending)).toBe(true);
      const next = await enqueue(run.sessionId, 'rollback');
      expect(await current(run)).toEqual({ ...run, status: 'FINISHING', ending });
      const begins = await finished(finishOf(position, ending, ids.uuid()));
      expect(begins?.run.id).toBe(next.id);
      expect(await repositories.context.read(run.sessionId, 0, 9)).toHaveLength(3);
    }
  });

  test('decides once that a run fails: a take-over finds it, and a cancel comes too late', async () => {
    const { run } = await startedRun();
    expect(await runs().beginFinishing(run.id, run.epoch, failed)).toBe(true);
    expect(await runs().beginFinishing(run.id, run.epoch, completed)).toBe(false);
    expect(await runs().requestCancel(run.sessionId, run.id, '', 1)).toBe('already-ended');
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.run).toMatchObject({ status: 'FINISHING', ending: { error: failed.error }, epoch: 2 });
    // What was decided is told as it came over the wire, also by whoever read it from the row.
    const position = positionOf(claimed ?? expect.fail());
    const { ending } = claimed?.run ?? {};
    const error = ending?.status === 'FAILED' ? ending.error : undefined;
    const { sessionId, runId, epoch, lastSeq } = position;
    const last = eventAt(lastSeq + 1, sessionId, runId, epoch, { case: 'runError', value: { error } });
    const finish = finishOf(position, ending ?? failed);
    await finished({ ...finish, append: { position, events: [last], contextRows: [] } });
    const [told] = await repositories.log.read({ sessionId, afterSeq: lastSeq, limit: 9 });
    expect(told?.data).toMatchObject({ case: 'runError', value: { error: failed.error } });
    expect(await current(run)).toMatchObject({ status: 'FAILED', ending: { error: failed.error } });
  });

  test('lets a run that waits be taken, as it is, to be rolled back', async () => {
    const { run, position } = await interruptedRun();
    await runs().wait(waitOf(position));
    await enqueue(run.sessionId, 'rollback');
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.run).toMatchObject({ status: 'WAITING', rollsBack: true });
    await runs().finish(finishOf(positionOf(claimed ?? expect.fail()), cancelled, ids.uuid(), true));
    expect((await current(run)).status).toBe('CANCELLED');
  });

  test('races a rollback against the end of a cancelled run: it is rolled back, or was over before', async () => {
    for (let n = 0; n < 12; n += 1) {
      const { run, position } = await startedRun();
      await runs().requestCancel(run.sessionId, run.id, '', 5);
      const request = startRequest(run.sessionId, { busyPolicy: 'rollback' });
      const [asked, ended] = await Promise.all([
        runs().start(request, planOf({ requestId: request.requestId })),
        runs().finish(finishOf(position, cancelled, ids.uuid())),
      ]);
      const { status, rollsBack } = await current(run);
      expect([asked.kind, ended, status, rollsBack]).toEqual(
        asked.kind === 'started'
          ? ['started', undefined, 'CANCELLED', false]
          : ['queued', rollbackRequested, 'RUNNING', true],
      );
    }
  });
}
