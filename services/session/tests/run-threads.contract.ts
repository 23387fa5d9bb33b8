import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ContextRow } from '../src/domain/context/llm-context.ts';
import type { AppendPosition } from '../src/domain/event/event-log.ts';
import { alice, appendOf, finishOf } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';
import { cancelled, completed, runMoves } from './run-moves.ts';

/** Dialogues of delegate calls in the context, whatever the repositories are made of. */
export function runThreadsContract(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());
  const { runs, startedRun, enqueue } = runMoves(() => repositories);

  /** Appends a row to each of the dialogues, in order, and answers where the log stands then. */
  async function say(position: AppendPosition, ...threadIds: readonly string[]) {
    const append = appendOf(position);
    const contextRows = threadIds.map((threadId): ContextRow => {
      const row = { messageId: ids.uuid(), runId: position.runId, role: 3, tokens: 3, payload: new Uint8Array([7]) };
      return threadId === '' ? row : { ...row, threadId };
    });
    await repositories.log.append({ ...append, contextRows });
    const { lastSeq, lastContextSeq } = position;
    const next = { ...position, lastSeq: lastSeq + 1, lastContextSeq: lastContextSeq + threadIds.length };
    return { rows: contextRows, position: next };
  }

  const read = async ({ sessionId }: AppendPosition, threadId?: string, afterSeq = 0, limit = 9) =>
    (await repositories.context.read(sessionId, afterSeq, limit, threadId)).map((row) => [row.seq, row.threadId]);

  test('are read one by one, and the main one has nothing of them', async () => {
    const { position } = await startedRun();
    const [one, two] = [ids.uuid(), ids.uuid()];
    const { rows } = await say(position, '', one, two, one, '');
    expect(await read(position)).toEqual([
      [1, undefined],
      [2, undefined],
      [6, undefined],
    ]);
    expect(await read(position, one)).toEqual([
      [3, one],
      [5, one],
    ]);
    expect(await read(position, two)).toEqual([[4, two]]);
    expect(await read(position, one, 3)).toEqual([[5, one]]);
    expect(await read(position, one, 0, 1)).toEqual([[3, one]]);
    expect(await read(position, ids.uuid())).toEqual([]);
    const stored = await repositories.context.read(position.sessionId, 0, 9, two);
    const plain = stored.map((row) => ({ ...row, payload: Uint8Array.from(row.payload) }));
    expect(plain).toEqual([{ ...rows[2], seq: 4, createdAtMs: expect.any(Number) }]);
  });

  test('are of their session only', async () => {
    const [mine, other] = [await startedRun(), await startedRun()];
    const thread = ids.uuid();
    await say(mine.position, thread);
    expect(await read(other.position, thread)).toEqual([]);
  });

  test('stay when their run is over', async () => {
    const { run, position } = await startedRun();
    const thread = ids.uuid();
    const said = await say(position, '', thread);
    await runs().beginFinishing(run.id, run.epoch, completed);
    await runs().finish(finishOf(said.position, completed));
    expect(await read(position, thread)).toEqual([[3, thread]]);
  });

  test('leave the context with the rest of a run that is rolled back', async () => {
    const { run, position } = await startedRun();
    const [one, two] = [ids.uuid(), ids.uuid()];
    const said = await say(position, '', one, two);
    await enqueue(run.sessionId, 'rollback');
    expect(await repositories.context.rangeOf(run.sessionId, run.id)).toEqual({ firstSeq: 1, lastSeq: 4 });
    const last = finishOf(said.position, cancelled, ids.uuid(), true);
    const rows = last.append.contextRows.map((row) => ({ ...row, threadId: one }));
    await runs().finish({ ...last, append: { ...last.append, contextRows: rows } });
    expect([await read(position, one), await read(position, two)]).toEqual([[], []]);
    // Only what the next run begins with is left.
    expect(await read(position)).toEqual([[6, undefined]]);
    expect(await repositories.sessions.find(alice, run.sessionId)).toMatchObject({ lastContextSeq: 6 });
  });

  test('are told once when their append is made again', async () => {
    const { position } = await startedRun();
    const thread = ids.uuid();
    const append = appendOf(position);
    const again = { ...append, contextRows: append.contextRows.map((row) => ({ ...row, threadId: thread })) };
    await repositories.log.append(again);
    await repositories.log.append(again);
    expect(await read(position, thread)).toEqual([[2, thread]]);
  });
}
