import type { SessionId } from '@spanwise/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { interruptKind } from '../src/domain/event/agent-event.ts';
import { alice, finishOf } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';
import { cancelled, claimOf, look, nowMs, ownersAnswer, positionOf, runMoves, waitOf } from './run-moves.ts';

/** Runs that wait for their user, whatever the repositories are made of. */
export function runWaitingContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());
  const { runs, startedRun, interruptedRun, raised, current } = runMoves(() => repositories);

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
    expect((await runs().abandoned(look)).map(({ id }) => id)).toContain(run.id);
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
    expect((await runs().abandoned(look)).map(({ id }) => id)).toContain(run.id);
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.answers).toMatchObject([{ interruptId: interrupt.id, expired: true, answerJson: '' }]);
    expect(await repositories.interrupts.answer(ownersAnswer(run, interrupt.id), nowMs)).toBe('answered-before');
  });

  test('takes no answer once the interrupt has expired, also before anybody takes the run as due', async () => {
    const { run, position, interrupt } = await interruptedRun(nowMs);
    const answer = ownersAnswer(run, interrupt.id);
    // While the run still runs, and while it waits.
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('answered-before');
    await runs().wait(waitOf(position));
    expect(await repositories.interrupts.answer(answer, nowMs + 1)).toBe('answered-before');
    expect(await repositories.interrupts.open(run.id)).toEqual([interrupt]);
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.answers).toMatchObject([{ interruptId: interrupt.id, expired: true, answerJson: '' }]);
  });

  test('takes an answer until the interrupt expires, and the same one again after that', async () => {
    const { run, position, interrupt } = await interruptedRun(nowMs);
    await runs().wait(waitOf(position));
    const answer = ownersAnswer(run, interrupt.id);
    expect(await repositories.interrupts.answer(answer, nowMs - 1)).toBe('answered');
    expect(await repositories.interrupts.answer(answer, nowMs + 1)).toBe('answered');
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.answers).toMatchObject([{ interruptId: interrupt.id, expired: false, answerJson: '"a"' }]);
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

  test('takes a token with the answer, in one transaction, and for all that wait for one', async () => {
    const first = await interruptedRun(undefined, interruptKind.auth);
    const { run } = first;
    const { position, interrupt: second } = await raised(first.position, interruptKind.auth);
    const { position: last, interrupt: question } = await raised(position, interruptKind.question);
    await runs().wait(waitOf(last));
    const answer = { ...ownersAnswer(run, second.id), sealedToken: 'sealed anew' };
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('answered');
    expect((await current(run)).sealedToken).toBe('sealed anew');
    expect(await repositories.interrupts.open(run.id)).toEqual([question]);
    // The same answer again changes nothing, nor does another one.
    const others = [
      { ...answer, interruptId: first.interrupt.id, sealedToken: 'again' },
      { ...answer, answerJson: '"no"', sealedToken: 'other' },
    ];
    expect(await Promise.all(others.map((each) => repositories.interrupts.answer(each, nowMs)))).toEqual([
      'answered',
      'answered-before',
    ]);
    expect((await current(run)).sealedToken).toBe('sealed anew');
    await repositories.interrupts.answer(ownersAnswer(run, question.id), nowMs);
    const claimed = await runs().claim(claimOf(await current(run), ids.uuid()));
    expect(claimed?.run.sealedToken).toBe('sealed anew');
    const told = claimed?.answers.map(({ interruptId }) => interruptId);
    expect(told).toEqual([first.interrupt.id, second.id, question.id].toSorted());
    expect(JSON.stringify(claimed?.events, (_, value) => (typeof value === 'bigint' ? 0 : value))).not.toContain(
      'sealed',
    );
  });

  test('takes no token with an answer that comes too late', async () => {
    const { run, position, interrupt } = await interruptedRun(nowMs, interruptKind.auth);
    const answer = { ...ownersAnswer(run, interrupt.id), sealedToken: 'late' };
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('answered-before');
    await runs().requestCancel(run.sessionId, run.id, '', 1);
    await runs().finish(finishOf(position, cancelled));
    expect(await repositories.interrupts.answer(answer, nowMs - 1)).toBe('not-found');
    expect((await current(run)).sealedToken).toBe('');
  });

  test('leaves an interrupt alone that had expired when another one was answered with a token', async () => {
    const expired = await interruptedRun(nowMs, interruptKind.auth);
    const { interrupt } = await raised(expired.position, interruptKind.auth);
    const answer = { ...ownersAnswer(expired.run, interrupt.id), sealedToken: 'new' };
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('answered');
    expect(await repositories.interrupts.open(expired.run.id)).toEqual([expired.interrupt]);
  });

  test('races an answer with a token against a claim: whoever sees the answer has the token', async () => {
    for (let n = 0; n < 12; n += 1) {
      const { run, interrupt } = await interruptedRun(undefined, interruptKind.auth);
      const [, claimed] = await Promise.all([
        repositories.interrupts.answer({ ...ownersAnswer(run, interrupt.id), sealedToken: 'new' }, nowMs),
        runs().claim(claimOf(run, ids.uuid())),
      ]);
      const sees = claimed?.answers.length === 1;
      expect(claimed?.run.sealedToken).toBe(sees ? 'new' : '');
      expect((await current(run)).sealedToken).toBe('new');
    }
  });

  test('finds an interrupt in its own session, also once it is answered', async () => {
    const { run, interrupt } = await interruptedRun(nowMs + 1, interruptKind.auth);
    const other = await startedRun();
    const find = (sessionId: SessionId) => repositories.interrupts.find(sessionId, run.id, interrupt.id);
    expect([await find(run.sessionId), await find(other.run.sessionId)]).toEqual([interrupt, undefined]);
    await repositories.interrupts.answer(ownersAnswer(run, interrupt.id), nowMs);
    expect(await find(run.sessionId)).toEqual(interrupt);
    expect(await repositories.interrupts.find(run.sessionId, run.id, ids.uuid())).toBeUndefined();
  });

  test('finds no interrupt of another session', async () => {
    const { run, interrupt } = await interruptedRun();
    const other = await startedRun();
    const answer = { ...ownersAnswer(run, interrupt.id), sessionId: other.run.sessionId };
    expect(await repositories.interrupts.answer(answer, nowMs)).toBe('not-found');
  });
}
