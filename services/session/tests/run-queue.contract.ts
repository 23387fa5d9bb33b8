import { afterAll, beforeAll, expect, test } from 'vitest';
import { maxQueued } from '../src/domain/run/run.ts';
import { alice, finishOf, planOf, startRequest } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';
import { cancelled, completed, look, positionOf, runMoves } from './run-moves.ts';

/** Runs that wait for the active one, whatever the repositories are made of. */
export function runQueueContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());
  const { runs, startedRun, enqueue, finished, current } = runMoves(() => repositories);

  test('queues runs in a busy session, in order, and begins the next with the end of the one before', async () => {
    const owner = ids.uuid();
    const { run, position } = await startedRun();
    const [second, third] = [await enqueue(run.sessionId), await enqueue(run.sessionId)];
    expect(await current(second)).toMatchObject({ status: 'QUEUED', startSeq: 0, attempt: 0 });
    expect(await repositories.sessions.find(alice, run.sessionId)).toMatchObject({ lastSeq: 1, lastContextSeq: 1 });
    await runs().beginFinishing(run.id, run.epoch, completed);
    const next = await finished(finishOf(position, completed, owner));
    expect(next).toMatchObject({ run: { id: second.id, status: 'RUNNING', epoch: 2, startSeq: 3 }, lastSeq: 3 });
    expect(next?.lastContextSeq).toBe(3);
    expect(await current(second)).toMatchObject({ status: 'RUNNING', ownerId: owner, epoch: 2, attempt: 1 });
    expect(await repositories.sessions.find(alice, run.sessionId)).toMatchObject({
      status: 'RUNNING',
      activeRunId: second.id,
      epoch: 2,
    });
    if (next !== undefined) {
      await runs().beginFinishing(second.id, 2, completed);
      expect((await finished(finishOf(positionOf(next), completed)))?.run.id).toBe(third.id);
    }
    // Nobody was named to drive it: whoever looks takes it.
    expect((await runs().abandoned(look)).map(({ id }) => id)).toContain(third.id);
  });

  test('lets 16 runs wait, also when 20 come at once, and answers the same run to the same request', async () => {
    const { run } = await startedRun();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => enqueue(run.sessionId)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(maxQueued);
    for (const result of results) {
      if (result.status === 'rejected') {
        expect(result.reason).toMatchObject({ reason: 'QUEUE_FULL', facts: { limit: maxQueued } });
      }
    }
    const [queued] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const request = startRequest(run.sessionId, { requestId: queued?.requestId ?? '', busyPolicy: 'enqueue' });
    expect(await runs().start(request, planOf())).toMatchObject({ kind: 'found', run: { id: queued?.id } });
  });

  test('takes a cancelled run out of the queue, and what it was in the way of goes on', async () => {
    const { run, position } = await startedRun();
    const [second, third] = [await enqueue(run.sessionId), await enqueue(run.sessionId)];
    expect(await runs().requestCancel(run.sessionId, second.id, 'no', 5)).toBe('dequeued');
    expect(await runs().requestCancel(run.sessionId, second.id, 'no', 5)).toBe('already-ended');
    expect(await current(second)).toMatchObject({
      status: 'CANCELLED',
      cancelReason: 'no',
      ending: { status: 'CANCELLED' },
    });
    await runs().beginFinishing(run.id, run.epoch, completed);
    expect((await finished(finishOf(position, completed, ids.uuid())))?.run.id).toBe(third.id);
  });

  test('interrupts: cancels what is active and what waits, and is the next', async () => {
    const { run, position } = await startedRun();
    const waiting = await enqueue(run.sessionId);
    const next = await enqueue(run.sessionId, 'interrupt');
    expect((await current(run)).cancelRequestedAtMs).toBeDefined();
    expect((await current(waiting)).status).toBe('CANCELLED');
    expect((await finished(finishOf(position, cancelled, ids.uuid())))?.run.id).toBe(next.id);
  });

  test('races the end of a run against a run that wants to wait for it: it runs, or it is begun', async () => {
    for (let n = 0; n < 12; n += 1) {
      const { run, position } = await startedRun();
      await runs().beginFinishing(run.id, run.epoch, completed);
      const request = startRequest(run.sessionId, { busyPolicy: 'enqueue' });
      const [outcome, next] = await Promise.all([
        runs().start(request, planOf({ requestId: request.requestId })),
        runs().finish(finishOf(position, completed, ids.uuid())),
      ]);
      expect(outcome.kind).toBe(next === undefined ? 'started' : 'queued');
      expect((await repositories.sessions.find(alice, run.sessionId))?.status).toBe('RUNNING');
    }
  });

  test('deletes a busy session with its queue', async () => {
    const { run } = await startedRun();
    const waiting = await enqueue(run.sessionId);
    await repositories.sessions.delete(alice, run.sessionId, true, 7);
    expect((await current(waiting)).status).toBe('CANCELLED');
    expect((await current(run)).cancelRequestedAtMs).toBe(7);
  });
}
