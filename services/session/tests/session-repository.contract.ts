import { brandId, type SessionId, type Uid } from '@spanwise/kernel';
import { noPolicy } from '@spanwise/tool-kit/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice, bob, newSession, planOf, startRequest } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';

/** What a SessionRepository does, whatever it is made of. */
export function sessionRepositoryContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());

  test('keeps a session as it was made, for its owner only', async () => {
    const session = newSession({ title: 'Ä "title" 😀', requestId: ids.uuid() });
    expect(await repositories.sessions.create(session)).toEqual(session);
    expect(await repositories.sessions.find(alice, session.id)).toEqual(session);
    expect(await repositories.sessions.find(bob, session.id)).toBeUndefined();
    expect(await repositories.sessions.find(alice, brandId<SessionId>(session.id.toUpperCase()))).toBeUndefined();
  });

  test('makes one session of the same request, however often and however many at once', async () => {
    const requestId = ids.uuid();
    const made = await Promise.all(
      Array.from({ length: 20 }, () => repositories.sessions.create(newSession({ requestId }))),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const other = await repositories.sessions.create(newSession({ requestId, uid: bob }));
    expect(other.id).not.toBe(made[0]?.id);
  });

  test('lists sessions newest first, page by page, without one missing or twice', async () => {
    const uid = brandId<Uid>(ids.uuid());
    const made = [];
    for (let n = 0; n < 7; n += 1) {
      made.push(
        await repositories.sessions.create(newSession({ uid, createdAtMs: 1_800_000_000_000 + Math.floor(n / 3) })),
      );
    }
    const newestFirst = made.toSorted((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
    const listed = [];
    for (let page = await repositories.sessions.list(uid, undefined, 3); page.length > 0; ) {
      listed.push(...page);
      page = await repositories.sessions.list(uid, page.at(-1), 3);
    }
    expect(listed).toEqual(newestFirst);
  });

  test('changes title and rules of an own session', async () => {
    const session = await repositories.sessions.create(newSession());
    const changed = { ...session, title: 'new', updatedAtMs: 1_800_000_000_009 };
    const { sessions } = repositories;
    expect(await sessions.update(alice, session.id, { title: 'new' }, 1_800_000_000_009)).toEqual(changed);
    expect(await sessions.update(bob, session.id, { title: 'stolen' }, 1)).toBeUndefined();
    expect(await sessions.find(alice, session.id)).toEqual(changed);
    const toolPolicy = { allow: ['read'], ask: ['bash'], deny: ['write(/x)'] };
    const ruled = { ...changed, toolPolicy };
    expect(await sessions.update(alice, session.id, { toolPolicy }, 1_800_000_000_009)).toEqual(ruled);
    expect(await sessions.update(alice, session.id, { toolPolicy: noPolicy }, 1_800_000_000_009)).toEqual(changed);
  });

  test('deletes an idle session, a busy one only with its run, and nobody else’s', async () => {
    const session = await repositories.sessions.create(newSession());
    const outcome = await repositories.runs.start(startRequest(session.id), planOf());
    if (outcome.kind !== 'started') {
      throw new Error(outcome.kind);
    }
    const { run } = outcome.started;
    const { sessionId } = run;
    expect(await repositories.sessions.delete(bob, sessionId, true, 9)).toEqual({ kind: 'not-found' });
    expect(await repositories.sessions.delete(alice, sessionId, false, 9)).toEqual({
      kind: 'busy',
      activeRunId: run.id,
    });
    expect(await repositories.sessions.find(alice, sessionId)).toBeDefined();
    expect(await repositories.sessions.delete(alice, sessionId, true, 9)).toEqual({
      kind: 'deleted',
      cancelledRunId: run.id,
    });
    expect(await repositories.sessions.find(alice, sessionId)).toBeUndefined();
    expect(await repositories.runs.find(sessionId, run.id)).toMatchObject({ cancelRequestedAtMs: 9 });
    expect(await repositories.sessions.delete(alice, sessionId, true, 9)).toEqual({ kind: 'not-found' });
  });
}
