import { brandId, randomIds, type SessionId } from '@spanwise/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ChangesUnderTest } from './changes.contract.ts';
import { bob, failureOf } from './files-fixture.ts';
import { once, openSession, type SessionUnderTest, sessionOn } from './session-under-test.ts';

const fenced = { reason: 'FENCED', facts: {} };
const notFound = { reason: 'VIEW_NOT_FOUND', facts: {} };
const ids = randomIds();

/** Lets everything else have its turn: changes in memory would never let go. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What holds for fences, and for sessions that are deleted, on every disk. */
export function fenceContract(open: () => Promise<ChangesUnderTest>): void {
  let under: ChangesUnderTest;
  let session: SessionUnderTest;
  let other: SessionUnderTest;
  beforeEach(async () => {
    under = await open();
    session = await openSession(under.files);
    other = sessionOn(under.replica ?? under.files, session.sessionId, session.viewId);
  });
  afterEach(() => under[Symbol.asyncDispose]());

  const changesOf = (on: SessionUnderTest, source: { epoch?: number }) => [
    () => on.write('/workspace/file', 'late', source),
    () => on.edit('/workspace/file', 'text', 'late', source),
    () => on.makeDirectory('/workspace/late', source),
    () => on.remove('/workspace/file', source),
    () => on.move('/workspace/file', '/workspace/late', source),
  ];
  const failuresOf = async (changes: readonly (() => Promise<unknown>)[]) => {
    const failures: unknown[] = [];
    for (const change of changes) {
      failures.push(await failureOf(change()));
    }
    return failures;
  };

  test('refuses every change of a lower epoch on every replica, and none of others', async () => {
    await session.write('/workspace/file', 'text', { epoch: 1 });
    await session.fence(3);
    for (const on of [session, other]) {
      expect(await failuresOf(changesOf(on, { epoch: 2 }))).toEqual([fenced, fenced, fenced, fenced, fenced]);
    }
    expect(await session.text('/workspace/file')).toBe('text');
    expect(await session.exists('/workspace/late')).toBe(false);
    await other.write('/workspace/file', 'of the new one', { epoch: 3 });
    await session.write('/workspace/file', 'of a client', { epoch: 0 });
    const bystander = await openSession(under.files);
    await bystander.write('/workspace/file', 'of another session', { epoch: 1 });
  });

  test('refuses the same epoch, too, when it stops', async () => {
    await session.fence(3);
    await session.write('/workspace/file', 'text', { epoch: 3 });
    await other.fence(3, true);
    expect(await failuresOf(changesOf(session, { epoch: 3 }))).toEqual([fenced, fenced, fenced, fenced, fenced]);
    expect(await failureOf(session.write('/workspace/file', 'text', { epoch: 4 }))).toBe('it did not fail');
  });

  test('never falls, and may be raised before there is a view', async () => {
    const sessionId = brandId<SessionId>(ids.uuid());
    await under.files.fence.execute({ sessionId, epoch: 5, stop: false });
    await under.files.fence.execute({ sessionId, epoch: 2, stop: true });
    const late = await openSession(under.files, { sessionId });
    expect(await failureOf(late.write('/workspace/file', 'x', { epoch: 4 }))).toEqual(fenced);
    await late.write('/workspace/file', 'x', { epoch: 5 });
  });

  test('refuses a fenced dispatch even the answer that was kept for it', async () => {
    await session.write('/workspace/file', 'text', { epoch: 1, ...once('k') });
    await session.fence(2);
    expect(await failureOf(other.write('/workspace/file', 'text', { epoch: 1, ...once('k') }))).toEqual(fenced);
    expect(await other.write('/workspace/file', 'text', { epoch: 2, ...once('k') })).toMatchObject({ isCreated: true });
  });

  test('lets nothing of a lower epoch happen after it has answered, under 8 writers', async () => {
    for (let epoch = 1; epoch <= 5; epoch += 1) {
      const written = Array.from({ length: 8 }, () => 0);
      const writers = written.map(async (_, index) => {
        const on = index % 2 === 0 ? session : other;
        for (let count = 1; ; count += 1) {
          const source = index % 4 < 2 ? { epoch } : { epoch, ...once(`${epoch} ${index} ${count}`) };
          const failure = await failureOf(on.write(`/workspace/f${index}`, `${epoch}.${count}`, source));
          if (failure !== 'it did not fail') {
            return failure;
          }
          written[index] = count;
          await nextTurn();
        }
      });
      while (written.some((count) => count < 2)) {
        await nextTurn();
      }
      await (epoch % 2 === 0 ? session : other).fence(epoch, true);
      const contents = () => Promise.all(written.map((_, index) => session.text(`/workspace/f${index}`)));
      const atFence = await contents();
      expect(await Promise.all(writers)).toEqual(written.map(() => fenced));
      expect(await contents()).toEqual(atFence);
    }
  });

  test('deletes all that belongs to a session, and nothing else', async () => {
    const nextRun = await openSession(under.files, { sessionId: session.sessionId });
    const bystander = await openSession(under.files);
    await session.write('/workspace/deep/file', 'private', once('k'));
    await nextRun.write('/workspace/more', 'private', { epoch: 7 });
    await session.write(`/shared/${session.sessionId}`, 'shared');
    await bystander.write('/workspace/file', 'of another session', once('k'));
    expect(await failureOf(session.deleteData(bob))).toEqual(notFound);
    await session.deleteData();
    await other.deleteData();
    expect(await failureOf(session.text('/workspace/deep/file'))).toEqual(notFound);
    expect(await failureOf(nextRun.text('/workspace/more'))).toEqual(notFound);
    expect(await bystander.text('/workspace/file')).toBe('of another session');
    expect(await bystander.text(`/shared/${session.sessionId}`)).toBe('shared');
    expect(await bystander.write('/workspace/file', 'of another session', once('k'))).toMatchObject({
      isCreated: true,
    });
  });

  test('lets nothing come after a session that was deleted', async () => {
    await session.write('/workspace/file', 'text');
    // Another replica knows the view from before.
    expect(await other.text('/workspace/file')).toBe('text');
    await session.deleteData();
    await session.fence(4);
    for (const source of [{ epoch: 0 }, once('k')]) {
      expect(await failureOf(other.write('/workspace/file', 'late', source))).toEqual(notFound);
    }
    expect([fenced, notFound]).toContainEqual(await failureOf(other.write('/workspace/file', 'late', { epoch: 5 })));
    const bystander = await openSession(under.files);
    expect(await bystander.exists(`/all/ada/${session.sessionId}`)).toBe(false);
  });
}
