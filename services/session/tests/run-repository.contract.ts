import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppendPosition } from '../src/domain/event/event-log.ts';
import type { Run, RunEnding } from '../src/domain/run/run.ts';
import type { StartedRun, StartRequest } from '../src/domain/run/run-repository.ts';
import { alice, appendOf, bob, finishOf, newSession, planOf, startRequest } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';

const completed: RunEnding = { status: 'COMPLETED', finishReason: 1, usage: undefined };
const cancelled: RunEnding = { status: 'CANCELLED', finishReason: 5, usage: undefined };

/** What runs, log and context do together, whatever they are made of. */
export function runRepositoryContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());

  async function startedRun(facts: Partial<Run> = {}): Promise<StartedRun & { readonly position: AppendPosition }> {
    const session = await repositories.sessions.create(newSession());
    const request = startRequest(session.id);
    const started = await start(request, facts);
    const { run, lastSeq, lastContextSeq } = started;
    const position = { sessionId: session.id, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
    return { ...started, position };
  }

  async function start(request: StartRequest, facts: Partial<Run> = {}): Promise<StartedRun> {
    const { requestId, fingerprint } = request;
    const outcome = await repositories.runs.start(request, planOf({ requestId, fingerprint, ...facts }));
    if (outcome.kind !== 'started') {
      throw new Error(outcome.kind);
    }
    return outcome.started;
  }

  test('starts a run: session, run, events and context change together', async () => {
    const { run, position } = await startedRun();
    expect(await repositories.sessions.find(alice, run.sessionId)).toMatchObject({
      status: 'RUNNING',
      activeRunId: run.id,
      epoch: 1,
      lastSeq: 1,
      lastContextSeq: 1,
    });
    expect(await repositories.runs.find(run.sessionId, run.id)).toEqual(run);
    const [event] = await repositories.log.read({ sessionId: run.sessionId, afterSeq: 0, limit: 10 });
    expect(event).toMatchObject({ seq: 1n, epoch: 1n, data: { case: 'runStart' } });
    const [message] = await repositories.context.read(run.sessionId, 0, 10);
    expect(message).toMatchObject({ seq: 1, role: 2, tokens: 3 });
    expect(Uint8Array.from(message?.payload ?? [])).toEqual(new Uint8Array([0, 1, 255]));
    expect(position.lastSeq).toBe(1);
  });

  test('refuses a run in a session that is busy, someone else’s, or deleted', async () => {
    const { run } = await startedRun();
    const startAs = (uid: Uid, sessionId: SessionId) => start(startRequest(sessionId, { uid }));
    await expect(startAs(alice, run.sessionId)).rejects.toMatchObject({
      reason: 'SESSION_BUSY',
      facts: { run_id: run.id },
    });
    await expect(startAs(bob, run.sessionId)).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    const idle = await repositories.sessions.create(newSession());
    await repositories.sessions.delete(alice, idle.id, false, 1);
    await expect(startAs(alice, idle.id)).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
  });

  test('answers one run to the same request 30 times at once, and refuses another request with its id', async () => {
    const session = await repositories.sessions.create(newSession());
    const request = startRequest(session.id);
    const again = (fingerprint: string) =>
      repositories.runs.start(
        { ...request, fingerprint },
        planOf({ id: brandId<RunId>(ids.uuid()), requestId: request.requestId, fingerprint }),
      );
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => again('same')));
    const runIds = outcomes.map((outcome) => (outcome.kind === 'started' ? outcome.started.run.id : outcome.run.id));
    expect(new Set(runIds).size).toBe(1);
    expect(outcomes.filter(({ kind }) => kind === 'started')).toHaveLength(1);
    await expect(again('other')).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  test('lets one of many different requests start a run', async () => {
    const session = await repositories.sessions.create(newSession());
    const results = await Promise.allSettled(Array.from({ length: 16 }, () => start(startRequest(session.id))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.filter((each) => each.status === 'rejected' && each.reason.reason === 'SESSION_BUSY')).toHaveLength(
      15,
    );
  });

  test('appends contiguously and reads by range, run and kind', async () => {
    const { position } = await startedRun();
    await repositories.log.append(appendOf(position, 150));
    const { sessionId, runId } = position;
    const all = await repositories.log.read({ sessionId, afterSeq: 0, limit: 1000 });
    expect(all.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 151 }, (_, n) => n + 1));
    const some = await repositories.log.read({ sessionId, runId, afterSeq: 100, untilSeq: 110, limit: 5 });
    expect(some.map(({ seq }) => Number(seq))).toEqual([101, 102, 103, 104, 105]);
    const kinds = await repositories.log.read({ sessionId, afterSeq: 0, cases: ['runStart'], limit: 5 });
    expect(kinds).toHaveLength(1);
    const ofOthers = await repositories.log.read({
      sessionId,
      runId: brandId<RunId>(ids.uuid()),
      afterSeq: 0,
      limit: 5,
    });
    expect(ofOthers).toEqual([]);
    expect(await repositories.log.bounds(sessionId)).toEqual({ firstSeq: 1, lastSeq: 151 });
    expect(await repositories.log.bounds(brandId<SessionId>(ids.uuid()))).toBeUndefined();
    expect((await repositories.context.read(sessionId, 1, 10)).map(({ seq }) => seq)).toEqual([2]);
  });

  test('appends the same append once, however often it is tried', async () => {
    const { position } = await startedRun();
    const append = appendOf(position, 3);
    await repositories.log.append(append);
    await repositories.log.append(append);
    expect(await repositories.log.read({ sessionId: position.sessionId, afterSeq: 0, limit: 10 })).toHaveLength(4);
  });

  test('fences an append of another epoch, of another run and of a run that is over', async () => {
    const { position } = await startedRun();
    const fencedOut = { reason: 'FENCED' };
    await expect(repositories.log.append(appendOf({ ...position, epoch: 2 }))).rejects.toMatchObject(fencedOut);
    const other = brandId<RunId>(ids.uuid());
    await expect(repositories.log.append(appendOf({ ...position, runId: other }))).rejects.toMatchObject(fencedOut);
    await repositories.runs.beginFinishing(position.runId, position.epoch, completed);
    await repositories.runs.finish(finishOf(position, completed));
    await expect(repositories.log.append(appendOf({ ...position, lastSeq: 2 }))).rejects.toMatchObject(fencedOut);
    expect(await repositories.log.read({ sessionId: position.sessionId, afterSeq: 0, limit: 10 })).toHaveLength(2);
  });

  test('never lets two writers append at the same place', async () => {
    const { position } = await startedRun();
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => repositories.log.append(appendOf(position, 5))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const events = await repositories.log.read({ sessionId: position.sessionId, afterSeq: 0, limit: 100 });
    expect(events.map(({ seq }) => Number(seq))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('completes a run and gives the session back in one step', async () => {
    const { run, position } = await startedRun();
    expect(await repositories.runs.beginFinishing(run.id, run.epoch, completed)).toBe(true);
    await repositories.runs.finish(finishOf(position, { ...completed, usage: usage(7n) }));
    expect(await repositories.runs.find(run.sessionId, run.id)).toEqual({
      ...run,
      status: 'COMPLETED',
      ownerId: undefined,
      terminalSeq: 2,
      ending: { ...completed, usage: usage(7n) },
      endedAtMs: 1_800_000_001_000,
    });
    expect(await repositories.sessions.find(alice, run.sessionId)).toMatchObject({
      status: 'IDLE',
      activeRunId: undefined,
      lastSeq: 2,
      lastContextSeq: 2,
    });
  });

  test('keeps the sealed token of a run until it is over', async () => {
    const { run, position } = await startedRun({ sealedToken: 'sealed' });
    expect((await repositories.runs.find(run.sessionId, run.id))?.sealedToken).toBe('sealed');
    await repositories.runs.beginFinishing(run.id, run.epoch, completed);
    await repositories.runs.finish(finishOf(position, completed));
    expect((await repositories.runs.find(run.sessionId, run.id))?.sealedToken).toBe('');
  });

  test('finishes once: the same finish again is fine, another one is fenced', async () => {
    const { position } = await startedRun();
    await repositories.runs.beginFinishing(position.runId, position.epoch, completed);
    const finish = finishOf(position, completed);
    await repositories.runs.finish(finish);
    await repositories.runs.finish(finish);
    await expect(repositories.runs.finish(finishOf(position, completed))).rejects.toMatchObject({ reason: 'FENCED' });
    expect(await repositories.log.read({ sessionId: position.sessionId, afterSeq: 0, limit: 10 })).toHaveLength(2);
  });

  test('never completes what was cancelled before it was done, and never cancels what was done before', async () => {
    const { run, position } = await startedRun();
    const { sessionId } = run;
    expect(await repositories.runs.requestCancel(sessionId, run.id, 'enough', 5)).toBe('accepted');
    expect(await repositories.runs.requestCancel(sessionId, run.id, 'again', 6)).toBe('accepted');
    expect(await repositories.runs.beginFinishing(run.id, run.epoch, completed)).toBe(false);
    await expect(repositories.runs.finish(finishOf(position, completed))).rejects.toMatchObject({ reason: 'FENCED' });
    await repositories.runs.finish(finishOf(position, cancelled));
    expect(await repositories.runs.find(sessionId, run.id)).toMatchObject({
      status: 'CANCELLED',
      cancelRequestedAtMs: 5,
      cancelReason: 'enough',
    });

    const second = await startedRun();
    await repositories.runs.beginFinishing(second.run.id, second.run.epoch, completed);
    expect(await repositories.runs.requestCancel(second.run.sessionId, second.run.id, '', 5)).toBe('already-ended');
  });

  test('does not end a run as cancelled without the flag', async () => {
    const { position } = await startedRun();
    await expect(repositories.runs.finish(finishOf(position, cancelled))).rejects.toMatchObject({ reason: 'FENCED' });
    expect(await repositories.sessions.find(alice, position.sessionId)).toMatchObject({
      status: 'RUNNING',
      lastSeq: 1,
    });
  });

  test('races cancel against completion: one of them wins, in every run', async () => {
    for (let n = 0; n < 20; n += 1) {
      const { run } = await startedRun();
      const [isFinishing, cancel] = await Promise.all([
        repositories.runs.beginFinishing(run.id, run.epoch, completed),
        repositories.runs.requestCancel(run.sessionId, run.id, '', 1),
      ]);
      expect([isFinishing, cancel]).toEqual(isFinishing ? [true, 'already-ended'] : [false, 'accepted']);
    }
  });

  test('lists runs newest first', async () => {
    const session = await repositories.sessions.create(newSession());
    const made: RunId[] = [];
    for (let n = 0; n < 4; n += 1) {
      const { run, lastSeq, lastContextSeq } = await start(startRequest(session.id));
      const position = { sessionId: session.id, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
      await repositories.runs.beginFinishing(run.id, run.epoch, completed);
      await repositories.runs.finish(finishOf(position, completed));
      made.unshift(run.id);
    }
    const first = await repositories.runs.list(session.id, undefined, 3);
    const rest = await repositories.runs.list(session.id, first.at(-1)?.id, 3);
    expect([...first, ...rest].map(({ id }) => id)).toEqual(made);
    expect((await repositories.sessions.find(alice, session.id))?.epoch).toBe(4);
  });
}

function usage(inputTokens: bigint) {
  const zero = 0n;
  return {
    provider: '',
    model: '',
    inputTokens,
    outputTokens: zero,
    cachedInputTokens: zero,
    reasoningTokens: zero,
    estimated: false,
  };
}
