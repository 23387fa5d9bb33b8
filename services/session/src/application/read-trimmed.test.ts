import type { SessionId } from '@spanwise/kernel';
import { describe, expect, test } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import { spanStart } from '../../tests/doubles/said.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import {
  alice,
  inMemoryWorld,
  options,
  settled,
  startedRun,
  startRunIn,
  type World,
} from '../../tests/doubles/world.ts';
import { ReadLog } from './read-log.ts';

/** Events of the first run: more than one look takes. */
const firstRunEvents = 805;

/** Throws the events of the first run away, as a trim does. */
function trim({ store }: World, sessionId: SessionId): void {
  const entry = store.sessions.get(sessionId);
  Object.assign(entry ?? {}, { session: { ...entry?.session, firstSeq: firstRunEvents + 1 } });
  entry?.events.splice(0, firstRunEvents);
}

/** A session with a long run that is over, and one of five events; the log is trimmed before a look of the reader. */
async function trimmedSession() {
  const reads: { before: number | undefined; count: number } = { before: undefined, count: 0 };
  const world: World = inMemoryWorld({
    log: (log) =>
      replaced(log, {
        async read(query) {
          reads.count += 1;
          if (reads.count === reads.before) {
            trim(world, query.sessionId);
          }
          return log.read(query);
        },
      }),
  });
  const { sessionId, run, executor } = await startedRun(world);
  executor.say(...Array.from({ length: 400 }, (_, n) => spanStart(`a${n}`, run.span.span.id)));
  executor.finish();
  await settled();
  const second = await startRunIn(world, sessionId);
  second.executor.finish();
  await settled();
  expect((await world.log.bounds(sessionId))?.lastSeq).toBe(firstRunEvents + 5);
  return {
    ...{ world, sessionId, run, second },
    trimBefore: (look: number) => Object.assign(reads, { before: reads.count + look }),
  };
}

const outOfRange = {
  kind: 'out-of-range',
  reason: 'CURSOR_OUT_OF_RANGE',
  facts: { first_seq: firstRunEvents + 1, last_seq: firstRunEvents + 5 },
};
const seqsOf = (items: readonly { readonly seq: bigint }[]) => items.map(({ seq }) => Number(seq));
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('a watcher that a trim overtakes', () => {
  test.each([
    [1, 0],
    [2, 500],
  ])('before its look %d is told so after %d events', async (look, count) => {
    const { world, sessionId, trimBefore } = await trimmedSession();
    trimBefore(look);
    const request = { caller: alice, sessionId, afterSeq: 0, runId: undefined, live: true };
    const watcher = new Watcher((signal) => world.watchSession.execute(request, signal));
    await expect(watcher.ended).rejects.toMatchObject(outOfRange);
    expect(seqsOf(watcher.events)).toEqual(upTo(count));
  });

  test('is told so as well when it reads one run', async () => {
    const { world, sessionId, run, trimBefore } = await trimmedSession();
    trimBefore(2);
    const asked = { options, requestId: run.requestId, busyPolicy: 'reject', input: [['hello']] } as const;
    const request = { caller: alice, sessionId, ...asked, afterSeq: 0, live: true, cancelsOnDisconnect: false };
    const stream = new Watcher((signal) => world.runSession.execute(request, { signal, isLeftByClient: () => false }));
    await expect(stream.ended).rejects.toMatchObject(outOfRange);
    expect(seqsOf(stream.events)).toEqual(upTo(500));
  });

  test('goes on when it is not behind', async () => {
    const { world, sessionId, trimBefore } = await trimmedSession();
    trimBefore(1);
    const request = { caller: alice, sessionId, afterSeq: firstRunEvents, runId: undefined, live: true };
    const watcher = new Watcher((signal) => world.watchSession.execute(request, signal));
    await settled();
    expect(seqsOf(watcher.events)).toEqual(upTo(firstRunEvents + 5).slice(firstRunEvents));
    await watcher.leave();
  });
});

describe('a list of events that a trim overtakes', () => {
  const page = { size: 200, token: '' };
  const all = { runId: undefined, afterSeq: 0 };

  test('is refused at the page whose beginning is gone', async () => {
    const { world, sessionId, trimBefore } = await trimmedSession();
    const log = new ReadLog(world);
    const first = await log.events(alice, sessionId, all, page);
    expect(seqsOf(first.items)).toEqual(upTo(200));
    trimBefore(1);
    const next = log.events(alice, sessionId, all, { ...page, token: first.nextToken });
    await expect(next).rejects.toMatchObject(outOfRange);
    await expect(log.events(alice, sessionId, { ...all, afterSeq: 7 }, page)).rejects.toMatchObject(outOfRange);
  });

  test('is what is kept when it is read from its beginning', async () => {
    const { world, sessionId, second, trimBefore } = await trimmedSession();
    trimBefore(1);
    const kept = upTo(firstRunEvents + 5).slice(firstRunEvents);
    const log = new ReadLog(world);
    expect(seqsOf((await log.events(alice, sessionId, all, page)).items)).toEqual(kept);
    const ofRun = { runId: second.run.id, afterSeq: 0 };
    expect(seqsOf((await log.events(alice, sessionId, ofRun, page)).items)).toEqual(kept);
  });

  test('of a run that is gone is refused, and of one that has not begun is empty', async () => {
    const { world, sessionId, run, trimBefore } = await trimmedSession();
    trimBefore(1);
    const log = new ReadLog(world);
    await expect(log.events(alice, sessionId, { runId: run.id, afterSeq: 0 }, page)).rejects.toMatchObject(outOfRange);
    await startRunIn(world, sessionId);
    const asked = { options, requestId: '', busyPolicy: 'enqueue', input: [['later']] } as const;
    const queued = await world.startRun.execute({ caller: alice, sessionId, ...asked });
    expect((await log.events(alice, sessionId, { runId: queued.run.id, afterSeq: 0 }, page)).items).toEqual([]);
  });
});
