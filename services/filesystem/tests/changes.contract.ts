import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FilesFixture } from './files-fixture.ts';
import { failureOf } from './files-fixture.ts';
import { once, openSession, type SessionUnderTest, sessionOn } from './session-under-test.ts';

export interface ChangesUnderTest extends AsyncDisposable {
  /** Use cases on the disk `work`. */
  readonly files: FilesFixture;
  /** The same on other connections, where several replicas can serve the disk. */
  readonly replica?: FilesFixture;
}

const reused = { reason: 'IDEMPOTENCY_KEY_REUSED', facts: {} };

/** What holds for changes with keys, on every disk. */
export function keyContract(open: () => Promise<ChangesUnderTest>): void {
  let under: ChangesUnderTest;
  let session: SessionUnderTest;
  let other: SessionUnderTest;
  beforeEach(async () => {
    under = await open();
    session = await openSession(under.files);
    other = sessionOn(under.replica ?? under.files, session.sessionId, session.viewId);
  });
  afterEach(() => under[Symbol.asyncDispose]());

  /** A file to work on, and the changes to make. */
  const operations: readonly [string, (on: SessionUnderTest, key: string) => Promise<unknown>][] = [
    ['write', (on, key) => on.write('/workspace/new', 'written', { createOnly: true, ...once(key) })],
    ['edit', (on, key) => on.edit('/workspace/file', 'a', 'aa', once(key))],
    ['makeDirectory', (on, key) => on.makeDirectory('/workspace/made/deep', once(key))],
    ['delete', (on, key) => on.remove('/workspace/file', once(key))],
    ['move', (on, key) => on.move('/workspace/file', '/workspace/moved', once(key))],
  ];

  test.each(operations)('answers a repeated %s as it did, and changes nothing', async (_name, change) => {
    await session.write('/workspace/file', 'a b a');
    const first = await change(session, 'k');
    // Whatever the change did is undone: that it is made again would show.
    for (const name of ['file', 'new', 'made', 'moved']) {
      await failureOf(session.remove(`/workspace/${name}`));
    }
    await session.write('/workspace/file', 'a again');
    expect(await change(other, 'k')).toEqual(first);
    expect(await change(session, 'k')).toEqual(first);
    expect(await session.text('/workspace/file')).toBe('a again');
    const there = ['new', 'made', 'moved'].map((name) => session.exists(`/workspace/${name}`));
    expect(await Promise.all(there)).toEqual([false, false, false]);
  });

  test.each(operations)('makes a %s once when 16 ask at the same time', async (name, change) => {
    await session.write('/workspace/file', 'a b a');
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => change(index % 2 === 0 ? session : other, 'k')),
    );
    expect(answers).toEqual(answers.map(() => answers[0]));
    const left = name === 'delete' || name === 'move' ? undefined : 'a b a';
    expect(await session.text('/workspace/file')).toBe(name === 'edit' ? 'aa b aa' : left);
    expect(await session.text('/workspace/moved')).toBe(name === 'move' ? 'a b a' : undefined);
  });

  test('refuses another request with the same key, and changes nothing', async () => {
    await session.write('/workspace/file', 'a', once('k', 'first'));
    const others = [
      session.write('/workspace/file', 'b', once('k', 'second')),
      session.edit('/workspace/file', 'a', 'b', once('k', 'second')),
      session.edit('/workspace/none', 'a', 'b', once('k', 'second')),
      session.makeDirectory('/workspace/made', once('k', 'second')),
      session.remove('/workspace/file', once('k', 'second')),
      session.move('/workspace/file', '/workspace/moved', once('k', 'second')),
    ];
    expect(await Promise.all(others.map(failureOf))).toEqual(others.map(() => reused));
    expect(await session.text('/workspace/file')).toBe('a');
    expect(await session.exists('/workspace/made')).toBe(false);
  });

  test('has one winner of two requests with the same key at the same time', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, (_, index) => {
        const text = `text ${index % 2}`;
        return failureOf((index % 4 < 2 ? session : other).write('/workspace/file', text, once('k', text)));
      }),
    );
    const winner = outcomes[0] === 'it did not fail' ? 0 : 1;
    expect(outcomes).toEqual(outcomes.map((_, index) => (index % 2 === winner ? 'it did not fail' : reused)));
    expect(await session.text('/workspace/file')).toBe(`text ${winner}`);
  });

  test('keeps no answer of a change that failed', async () => {
    await session.write('/workspace/file', 'a');
    expect(await failureOf(session.edit('/workspace/file', 'b', 'c', once('k')))).toMatchObject({
      reason: 'EDIT_NO_MATCH',
    });
    await session.write('/workspace/file', 'b');
    expect(await session.edit('/workspace/file', 'b', 'c', once('k'))).toMatchObject({ replacements: 1 });
    expect(await session.text('/workspace/file')).toBe('c');
  });

  test('tells keys of views apart, and changes each time without a key', async () => {
    const nextRun = await openSession(under.files, { sessionId: session.sessionId });
    await session.write('/workspace/file', 'of the first', once('k'));
    await nextRun.write('/workspace/file', 'of the next', once('k', 'another'));
    expect(await session.text('/workspace/file')).toBe('of the next');
    await session.edit('/workspace/file', 'the', 'the the');
    await session.edit('/workspace/file', 'the', 'the the');
    expect(await session.text('/workspace/file')).toBe('of the the the the next');
  });

  test('lists as output what a key has written', async () => {
    await session.write('/workspace/file', 'a', once('k1'));
    await session.move('/workspace/file', '/workspace/moved', once('k2'));
    expect(await session.outputs()).toEqual(['/workspace/moved']);
    await session.remove('/workspace/moved', once('k3'));
    await session.write('/workspace/moved', 'again');
    await session.remove('/workspace/moved', once('k3'));
    expect(await session.outputs()).toEqual(['/workspace/moved']);
  });
}
