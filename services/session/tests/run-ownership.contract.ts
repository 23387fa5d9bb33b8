import { brandId, type SessionId } from '@spanwise/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice, appendOf, finishOf, newSession } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';
import { cancelled, claimOf, completed, look, nowMs, runMoves } from './run-moves.ts';

/** Who owns a run, whatever the repositories are made of. */
export function runOwnershipContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());
  const { runs, instance, startedRun, current } = runMoves(() => repositories);

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
    const cancelled = async (ownerId: string, agoMs: number) => {
      const started = await startedRun({ ownerId, createdAtMs: nowMs - 20_000 });
      await runs().requestCancel(started.run.sessionId, started.run.id, '', nowMs - agoMs);
      return started;
    };
    const overdue = await cancelled(owner, 11_000);
    const fresh = await cancelled(owner, 6000);
    // Its owner has missed renewals.
    const frozen = await cancelled(await instance(8000), 6000);
    const freshOfFrozen = await cancelled(await instance(8000), 4000);
    const found = new Set((await runs().abandoned(look)).map(({ id }) => id));
    const all = [held, dead, unknown, released, overdue, fresh, frozen, freshOfFrozen];
    const meant = all.map(({ run }) => found.has(run.id));
    expect(meant).toEqual([false, true, true, true, true, false, true, false]);
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

  test('leaves watched sessions out once they are deleted and their runs are over', async () => {
    const [idle, busy] = [await repositories.sessions.create(newSession()), await startedRun()];
    const { sessionId } = busy.run;
    const watched = async () =>
      (await repositories.instances.watched([idle.id, sessionId])).map((each) => each.sessionId);
    expect((await watched()).toSorted()).toEqual([idle.id, sessionId].toSorted());
    await repositories.sessions.delete(alice, idle.id, false, nowMs);
    await repositories.sessions.delete(alice, sessionId, true, nowMs);
    expect(await watched()).toEqual([sessionId]);
    await runs().finish(finishOf(busy.position, cancelled));
    expect(await watched()).toEqual([]);
  });

  test('keeps what the executor made of the options', async () => {
    const { run, position } = await startedRun();
    await repositories.log.append({ ...appendOf(position), spec: new Uint8Array([7, 0, 9]) });
    expect(Uint8Array.from((await current(run)).spec ?? [])).toEqual(new Uint8Array([7, 0, 9]));
  });
}
