import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, test } from 'vitest';
import { alice, bob, inMemoryWorld, openSession, settled, startedRun } from '../../tests/doubles/world.ts';

const named = (title: string, requestId: string) => ({ title, requestId, toolPolicy: noPolicy });
const notFound = { kind: 'not-found', reason: 'SESSION_NOT_FOUND' };

describe('sessions', () => {
  test('are made idle and empty, once for the same request of a user', async () => {
    const { manageSessions, clock } = inMemoryWorld();
    const session = await manageSessions.create(alice, named('title', 'r'));
    const nowMs = clock.nowMs();
    expect(session).toEqual({
      ...{
        id: session.id,
        uid: 'alice',
        requestId: 'r',
        title: 'title',
        toolPolicy: noPolicy,
        status: 'IDLE',
        activeRunId: undefined,
        epoch: 0,
      },
      ...{ lastSeq: 0, firstSeq: 1, lastContextSeq: 0, createdAtMs: nowMs, updatedAtMs: nowMs },
    });
    expect(await manageSessions.create(alice, named('other', 'r'))).toEqual(session);
    expect((await manageSessions.create(bob, named('title', 'r'))).id).not.toBe(session.id);
    expect((await manageSessions.create(alice, named('title', ''))).id).not.toBe(session.id);
  });

  test('of someone else look like missing ones to every use', async () => {
    const world = inMemoryWorld();
    const { manageSessions } = world;
    const { sessionId } = await startedRun(world);
    for (const id of [sessionId, brandId<SessionId>('none')]) {
      await expect(manageSessions.get(bob, id)).rejects.toMatchObject(notFound);
      await expect(manageSessions.update(bob, id, { title: 'stolen' })).rejects.toMatchObject(notFound);
      await expect(manageSessions.delete(bob, id, true)).rejects.toMatchObject(notFound);
      const cancel = { caller: bob, sessionId: id, runId: undefined, reason: '' };
      await expect(world.cancelRun.execute(cancel)).rejects.toMatchObject(notFound);
    }
    expect((await manageSessions.get(alice, sessionId)).title).toBe('');
  });

  test('are listed newest first, page by page', async () => {
    const { manageSessions, clock } = inMemoryWorld();
    const made: SessionId[] = [];
    for (let n = 0; n < 7; n += 1) {
      made.unshift((await manageSessions.create(alice, named('', ''))).id);
      clock.advance(n % 2);
    }
    await manageSessions.create(bob, named('', ''));
    const listed: SessionId[] = [];
    for (let token: string | undefined; token !== ''; ) {
      const page = await manageSessions.list(alice, { size: 3, token: token ?? '' });
      listed.push(...page.items.map(({ id }) => id));
      token = page.nextToken;
    }
    expect(listed).toEqual(made);
  });

  test('take a new title and new rules, each on its own', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    world.clock.advance(5);
    const before = await world.manageSessions.get(alice, sessionId);
    const after = await world.manageSessions.update(alice, sessionId, { title: 'new' });
    expect(after).toEqual({ ...before, title: 'new', updatedAtMs: world.clock.nowMs() });
    const toolPolicy = { allow: ['read'], ask: ['bash'], deny: ['write(/x)'] };
    expect(await world.manageSessions.update(alice, sessionId, { toolPolicy })).toEqual({ ...after, toolPolicy });
  });

  test('are not deleted under a run, unless the run is to be cancelled with them', async () => {
    const world = inMemoryWorld();
    const { run, sessionId, executor } = await startedRun(world);
    const busy = { kind: 'precondition', reason: 'SESSION_BUSY', facts: { run_id: run.id } };
    await expect(world.manageSessions.delete(alice, sessionId, false)).rejects.toMatchObject(busy);
    expect(executor.aborts).toEqual([]);
    await world.manageSessions.delete(alice, sessionId, true);
    expect([executor.aborts, world.sent]).toEqual([['cancelled'], [run.id]]);
    await expect(world.manageSessions.get(alice, sessionId)).rejects.toMatchObject(notFound);
    executor.finish({ kind: 'aborted' });
    await settled();
    expect((await world.runs.find(sessionId, run.id))?.status).toBe('CANCELLED');
    expect(world.lost).toEqual([]);
  });
});

describe('cancelling', () => {
  test('needs a run that is there', async () => {
    const world = inMemoryWorld();
    const sessionId = await openSession(world);
    const cancel = { caller: alice, sessionId, runId: undefined, reason: '' };
    await expect(world.cancelRun.execute(cancel)).rejects.toMatchObject({
      kind: 'precondition',
      reason: 'NO_ACTIVE_RUN',
    });
    const runId = brandId<RunId>('none');
    await expect(world.cancelRun.execute({ ...cancel, runId })).rejects.toMatchObject({ reason: 'RUN_NOT_FOUND' });
    const other = await startedRun(world);
    const ofOther = { ...cancel, runId: other.run.id };
    await expect(world.cancelRun.execute(ofOther)).rejects.toMatchObject({ reason: 'RUN_NOT_FOUND' });
    expect(other.executor.aborts).toEqual([]);
  });

  test('keeps its first reason and time, and is told to whoever holds the run', async () => {
    const world = inMemoryWorld();
    const { run, sessionId } = await startedRun(world);
    const cancel = { caller: alice, sessionId, runId: undefined, reason: 'enough' };
    const first = await world.cancelRun.execute(cancel);
    world.clock.advance(5);
    const second = await world.cancelRun.execute({ ...cancel, reason: 'again' });
    const cancelled = { ...run, cancelRequestedAtMs: run.createdAtMs, cancelReason: 'enough' };
    expect([first, second]).toEqual([
      { isAccepted: true, run: cancelled },
      { isAccepted: true, run: cancelled },
    ]);
    expect(world.sent).toEqual([run.id, run.id]);
  });
});
