import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attemptReason, eventTime } from '../src/domain/event/agent-event.ts';
import type { AppendPosition } from '../src/domain/event/event-log.ts';
import { maxQueued, type Run, type RunEnding } from '../src/domain/run/run.ts';
import type { Claim, StartedRun, StartOutcome } from '../src/domain/run/run-repository.ts';
import { alice, appendOf, eventAt, finishOf, newSession, planOf, startRequest } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';

const completed: RunEnding = { status: 'COMPLETED', finishReason: 1, usage: undefined };
const cancelled: RunEnding = { status: 'CANCELLED', finishReason: 5, usage: undefined };
const nowMs = 1_800_000_000_500;

/** Who owns a run, what waits, and what waits for a user, whatever the repositories are made of. */
export function runOwnershipContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());

  const runs = () => repositories.runs;

  async function instance(leaseMs = 60_000): Promise<string> {
    const id = ids.uuid();
    await repositories.instances.register({ id, address: `http://${id}` }, leaseMs);
    return id;
  }

  async function startedRun(facts: Partial<Run> = {}): Promise<StartedRun & { readonly position: AppendPosition }> {
    const { id } = await repositories.sessions.create(newSession());
    const started = startedOf(await runs().start(startRequest(id), planOf({ requestId: ids.uuid(), ...facts })));
    return { ...started, position: positionOf(started) };
  }

  async function enqueue(sessionId: SessionId, busyPolicy: 'enqueue' | 'interrupt' = 'enqueue'): Promise<Run> {
    const request = startRequest(sessionId, { busyPolicy });
    const outcome = await runs().start(request, planOf({ requestId: request.requestId }));
    if (outcome.kind !== 'queued') {
      throw new Error(outcome.kind);
    }
    return outcome.run;
  }

  /** A run whose log has an INTERRUPT. */
  async function interruptedRun(expireMs?: number) {
    const started = await startedRun({ ownerId: await instance(), deadlineAtMs: nowMs + 10_000 });
    const interrupt = {
      id: ids.uuid(),
      kind: 1,
      callId: ids.uuid(),
      message: 'which one?',
      schemaJson: '{}',
      ...(expireMs === undefined ? {} : { expireTime: eventTime(expireMs) }),
    };
    const { position } = started;
    const { sessionId, runId, epoch, lastSeq } = position;
    const event = eventAt(lastSeq + 1, sessionId, runId, epoch, { case: 'interrupt', value: { interrupt } });
    await repositories.log.append({ position, events: [event], contextRows: [] });
    return { ...started, interrupt, position: { ...position, lastSeq: lastSeq + 1 } };
  }

  function waitOf(position: AppendPosition) {
    const { sessionId, runId, epoch, lastSeq } = position;
    const data = { case: 'runWaiting', value: { interrupts: [] } } as const;
    const events = [eventAt(lastSeq + 1, sessionId, runId, epoch, data)];
    return { append: { position, events, contextRows: [] }, nowMs };
  }

  const current = async ({ sessionId, id }: Run): Promise<Run> => {
    const run = await runs().find(sessionId, id);
    if (run === undefined) {
      throw new Error('no such run');
    }
    return run;
  };

  test('claims a run once among 8, announces the attempt and fences whoever drove it before', async () => {
    const { run, position } = await startedRun();
    const owners = Array.from({ length: 8 }, () => ids.uuid());
    const claims = await Promise.all(owners.map((ownerId) => runs().claim(claimOf(run, ownerId))));
    const [claimed, ...others] = claims.filter((claim) => claim !== undefined);
    expect(others).toEqual([]);
    expect(claimed).toMatchObject({ run: { id: run.id, epoch: 2, attempt: 2, lostAttempts: 1 }, lastSeq: 2 });
    expect(await current(run)).toEqual(claimed?.run);
    const events = await repositories.log.read({ sessionId: run.sessionId, afterSeq: 1, limit: 9 });
    expect(events).toMatchObject([{ seq: 2n, epoch: 2n, data: { case: 'runAttempt', value: { attempt: 2 } } }]);
    await expect(repositories.log.append(appendOf(position))).rejects.toMatchObject({ reason: 'FENCED' });
    expect(await runs().beginFinishing(run.id, run.epoch, completed)).toBe(false);
    expect(await runs().release(run.id, run.epoch, run.ownerId ?? '')).toBe(false);
    await repositories.log.append(appendOf({ ...position, epoch: 2, lastSeq: 2 }));
  });

  test('races a claim against the end of the run: never both', async () => {
    for (let n = 0; n < 12; n += 1) {
      const { run, position } = await startedRun();
      await runs().beginFinishing(run.id, run.epoch, completed);
      const [claimed, finished] = await Promise.allSettled([
        runs().claim(claimOf({ ...run, status: 'FINISHING' }, ids.uuid())),
        runs().finish(finishOf(position, completed)),
      ]);
      const isClaimed = claimed.status === 'fulfilled' && claimed.value !== undefined;
      expect(isClaimed).toBe(finished.status === 'rejected');
      expect((await current(run)).status).toBe(isClaimed ? 'FINISHING' : 'COMPLETED');
    }
  });

  test('counts attempts that were lost without getting anywhere, and forgets them after one that did', async () => {
    const { run, position } = await startedRun();
    const second = await runs().claim(claimOf(run, ids.uuid()));
    expect(second?.run.lostAttempts).toBe(1);
    const third = await runs().claim(claimOf(await current(run), ids.uuid(), false));
    expect(third?.run.lostAttempts).toBe(1);
    const { lastSeq = 0, lastContextSeq = 0 } = third ?? {};
    await repositories.log.append(appendOf({ ...position, epoch: 3, lastSeq, lastContextSeq }));
    const fourth = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(fourth?.run).toMatchObject({ attempt: 4, lostAttempts: 0 });
  });

  test('finds what is abandoned: no owner, a dead one, a cancel that is overdue; and nothing else', async () => {
    const owner = await instance();
    const held = await startedRun({ ownerId: owner });
    const dead = await startedRun({ ownerId: await instance(-1) });
    const unknown = await startedRun({ ownerId: ids.uuid() });
    const released = await startedRun({ ownerId: owner });
    expect(await runs().release(released.run.id, 1, owner)).toBe(true);
    const overdue = await startedRun({ ownerId: owner });
    await runs().requestCancel(overdue.run.sessionId, overdue.run.id, '', nowMs - 6000);
    const fresh = await startedRun({ ownerId: owner });
    await runs().requestCancel(fresh.run.sessionId, fresh.run.id, '', nowMs - 1000);
    const found = new Set((await runs().abandoned(nowMs, 5000, 1000)).map(({ id }) => id));
    const meant = [held, dead, unknown, released, overdue, fresh].map(({ run }) => found.has(run.id));
    expect(meant).toEqual([false, true, true, true, true, false]);
    const owned = await runs().ownedBy(owner);
    expect(owned).toHaveLength(3);
    expect(owned).toContainEqual({ runId: fresh.run.id, epoch: 1, isCancelRequested: true });
  });

  test('renews a lease that runs, and never one that has run out', async () => {
    const [alive, dead] = [await instance(), await instance(-1)];
    expect(await repositories.instances.renew(alive, 60_000)).toBe(true);
    expect(await repositories.instances.renew(dead, 60_000)).toBe(false);
    const addresses = (await repositories.instances.alive()).map(({ id }) => id);
    expect([addresses.includes(alive), addresses.includes(dead)]).toEqual([true, false]);
    await repositories.instances.drain(alive);
    expect((await repositories.instances.alive()).map(({ id }) => id)).not.toContain(alive);
    expect(await repositories.instances.find(alive)).toMatchObject({ id: alive });
    await repositories.instances.remove(alive);
    expect(await repositories.instances.find(alive)).toBeUndefined();
  });

  test('tells how far watched sessions are, and who drives them', async () => {
    const owner = await instance();
    const { run } = await startedRun({ ownerId: owner });
    const orphan = await startedRun();
    const missing = brandId<SessionId>(ids.uuid());
    const watched = await repositories.instances.watched([run.sessionId, orphan.run.sessionId, missing]);
    expect(watched).toHaveLength(2);
    expect(watched).toContainEqual({
      sessionId: run.sessionId,
      lastSeq: 1,
      owner: { id: owner, address: `http://${owner}` },
    });
    expect(watched).toContainEqual({ sessionId: orphan.run.sessionId, lastSeq: 1, owner: undefined });
  });

  test('keeps what the executor made of the options', async () => {
    const { run, position } = await startedRun();
    await repositories.log.append({ ...appendOf(position), spec: new Uint8Array([7, 0, 9]) });
    expect(Uint8Array.from((await current(run)).spec ?? [])).toEqual(new Uint8Array([7, 0, 9]));
  });

  test('queues runs in a busy session, in order, and begins the next with the end of the one before', async () => {
    const owner = ids.uuid();
    const { run, position } = await startedRun();
    const [second, third] = [await enqueue(run.sessionId), await enqueue(run.sessionId)];
    expect(await current(second)).toMatchObject({ status: 'QUEUED', startSeq: 0, attempt: 0 });
    expect(await repositories.sessions.find(alice, run.sessionId)).toMatchObject({ lastSeq: 1, lastContextSeq: 1 });
    await runs().beginFinishing(run.id, run.epoch, completed);
    const next = await runs().finish(finishOf(position, completed, owner));
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
      expect((await runs().finish(finishOf(positionOf(next), completed)))?.run.id).toBe(third.id);
    }
    // Nobody was named to drive it: whoever looks takes it.
    expect((await runs().abandoned(nowMs, 5000, 1000)).map(({ id }) => id)).toContain(third.id);
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
    expect((await runs().finish(finishOf(position, completed, ids.uuid())))?.run.id).toBe(third.id);
  });

  test('interrupts: cancels what is active and what waits, and is the next', async () => {
    const { run, position } = await startedRun();
    const waiting = await enqueue(run.sessionId);
    const next = await enqueue(run.sessionId, 'interrupt');
    expect((await current(run)).cancelRequestedAtMs).toBeDefined();
    expect((await current(waiting)).status).toBe('CANCELLED');
    expect((await runs().finish(finishOf(position, cancelled, ids.uuid())))?.run.id).toBe(next.id);
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

  test('waits only while something is unanswered and no cancel was requested', async () => {
    const nothing = await startedRun();
    expect(await runs().wait(waitOf(nothing.position))).toBe(false);
    const { run, position, interrupt } = await interruptedRun(nowMs + 5000);
    expect(await repositories.interrupts.open(run.id)).toEqual([interrupt]);
    const wait = waitOf(position);
    expect([await runs().wait(wait), await runs().wait(wait)]).toEqual([true, true]);
    expect(await current(run)).toMatchObject({ status: 'WAITING', ownerId: undefined, remainingMs: 10_000 });
    expect((await current(run)).wakeAtMs).toBe(nowMs + 5000);
    expect(await repositories.sessions.find(alice, run.sessionId)).toMatchObject({ status: 'WAITING', lastSeq: 3 });
    expect(await runs().claim(claimOf(await current(run), ids.uuid()))).toBeUndefined();
    const flagged = await interruptedRun();
    await runs().requestCancel(flagged.run.sessionId, flagged.run.id, '', 1);
    expect(await runs().wait(waitOf(flagged.position))).toBe(false);
    expect((await current(flagged.run)).status).toBe('RUNNING');
  });

  test('goes on when everything is answered, once, and tells the answers', async () => {
    const { run, position, interrupt } = await interruptedRun();
    await runs().wait(waitOf(position));
    const answer = { ...ownersAnswer(run, interrupt.id), answerJson: '"b"' };
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('answered');
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('answered');
    expect(await repositories.interrupts.answer({ ...answer, answerJson: '"c"' }, nowMs)).toBe('answered-before');
    expect((await runs().abandoned(nowMs, 5000, 1000)).map(({ id }) => id)).toContain(run.id);
    const waiting = await current(run);
    const claims = await Promise.all(Array.from({ length: 8 }, () => runs().claim(claimOf(waiting, ids.uuid()))));
    const [claimed, ...others] = claims.filter((claim) => claim !== undefined);
    expect(others).toEqual([]);
    expect(claimed?.run).toMatchObject({ status: 'RUNNING', epoch: 2, deadlineAtMs: nowMs + 10_000 });
    const told = { interruptId: interrupt.id, callId: interrupt.callId, answerJson: '"b"', expired: false };
    expect(claimed?.answers).toEqual([{ ...told, answeredBy: 'alice' }]);
    expect((await repositories.sessions.find(alice, run.sessionId))?.status).toBe('RUNNING');
    expect((await runs().claim(claimOf(await current(run), ids.uuid())))?.answers).toEqual([]);
  });

  test('goes on without an answer once its time has come', async () => {
    const { run, position, interrupt } = await interruptedRun(nowMs);
    await runs().wait(waitOf(position));
    expect((await runs().abandoned(nowMs, 5000, 1000)).map(({ id }) => id)).toContain(run.id);
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.answers).toMatchObject([{ interruptId: interrupt.id, expired: true, answerJson: '' }]);
    expect(await repositories.interrupts.answer(ownersAnswer(run, interrupt.id), nowMs)).toBe('answered-before');
  });

  test('takes a waiting run to cancel it, as it is', async () => {
    const { run, position, interrupt } = await interruptedRun();
    await runs().wait(waitOf(position));
    expect(await runs().requestCancel(run.sessionId, run.id, '', 1)).toBe('accepted');
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.run).toMatchObject({ status: 'WAITING', epoch: 2 });
    if (claimed !== undefined) {
      await runs().finish(finishOf(positionOf(claimed), cancelled));
    }
    expect((await repositories.sessions.find(alice, run.sessionId))?.status).toBe('IDLE');
    expect(await repositories.interrupts.answer(ownersAnswer(run, interrupt.id), nowMs)).toBe('not-found');
  });

  test('races an answer against the begin of waiting: the run sees it, or waits and can be taken', async () => {
    for (let n = 0; n < 12; n += 1) {
      const { run, position, interrupt } = await interruptedRun();
      const [, waits] = await Promise.all([
        repositories.interrupts.answer(ownersAnswer(run, interrupt.id), nowMs),
        runs().wait(waitOf(position)),
      ]);
      const now = await current(run);
      expect(now.status).toBe(waits ? 'WAITING' : 'RUNNING');
      expect(await runs().claim(claimOf(now, ids.uuid()))).toMatchObject({ answers: [{ interruptId: interrupt.id }] });
    }
  });

  test('finds no interrupt of another session', async () => {
    const { run, interrupt } = await interruptedRun();
    const other = await startedRun();
    const answer = { ...ownersAnswer(run, interrupt.id), sessionId: other.run.sessionId };
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('not-found');
  });
}

function startedOf(outcome: StartOutcome): StartedRun {
  if (outcome.kind !== 'started') {
    throw new Error(outcome.kind);
  }
  return outcome.started;
}

function positionOf({ run, lastSeq, lastContextSeq }: StartedRun): AppendPosition {
  return { sessionId: run.sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
}

function claimOf(run: Run, ownerId: string, wasLost = true): Claim {
  return {
    run,
    ownerId,
    wasLost,
    nowMs,
    announce: ({ run: claimed, lastSeq }, answers) => {
      const { sessionId, id, epoch, attempt } = claimed;
      const told = answers.map((answer, n) =>
        eventAt(lastSeq + n + 1, sessionId, id, epoch, { case: 'interruptAnswered', value: { answer } }),
      );
      const value = { attempt, reason: attemptReason.driverLost };
      return [...told, eventAt(lastSeq + told.length + 1, sessionId, id, epoch, { case: 'runAttempt', value })];
    },
  };
}

function ownersAnswer({ sessionId, id }: Run, interruptId: string) {
  return { sessionId, runId: id as RunId, interruptId, answerJson: '"a"', answeredBy: 'alice' };
}
