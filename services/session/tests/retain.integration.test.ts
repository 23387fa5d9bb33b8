import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followLog } from '../src/application/follow-log.ts';
import { Retain } from '../src/application/retain.ts';
import { SessionHub } from '../src/application/session-hub.ts';
import type { RetentionPolicy } from '../src/domain/session/retention-repository.ts';
import { SqlRetentionRepository } from '../src/infrastructure/persistence/sql-retention-repository.ts';
import { alice, appendOf, finishOf, newSession, planOf, startRequest } from './builders.ts';
import { replaced } from './doubles/replaced.ts';
import { Watcher } from './doubles/watcher.ts';
import { mysqlRepositories, type Repositories, sqliteRepositories } from './repository-sets.ts';

const completed = { status: 'COMPLETED', finishReason: 1, usage: undefined } as const;
const nowMs = 1_800_000_100_000;
const signal = new AbortController().signal;

function retention(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());

  function retain(policy: Partial<RetentionPolicy>, fails = false) {
    const deleted: string[] = [];
    const errors: unknown[] = [];
    const { database } = repositories;
    if (database === undefined) {
      throw new Error('no database');
    }
    const work = new Retain({
      retention: new SqlRetentionRepository(database.sql),
      data: {
        async delete(sessionId, uid) {
          if (fails) {
            throw new TypeError('away');
          }
          deleted.push(`${sessionId} ${uid}`);
        },
      },
      clock: { nowMs: () => nowMs, monotonicMs: () => 0 },
      policy: { maxEvents: undefined, maxAgeMs: undefined, ...policy },
      purgeAfterMs: 1000,
      onError: (error) => void errors.push(error),
    });
    return { deleted, errors, done: work.execute(signal) };
  }

  /** A run of `count` + 2 events in a session. */
  async function run(sessionId: Parameters<typeof startRequest>[0], count: number, isEnded = true): Promise<void> {
    const { runs, log } = repositories;
    const request = startRequest(sessionId);
    const outcome = await runs.start(request, planOf({ requestId: request.requestId }));
    if (outcome.kind !== 'started') {
      throw new Error(outcome.kind);
    }
    const { run: started, lastSeq, lastContextSeq } = outcome.started;
    const position = { sessionId, runId: started.id, epoch: started.epoch, lastSeq, lastContextSeq };
    const append = appendOf(position, count);
    // Of another agent that has worked for the run's.
    await log.append({ ...append, contextRows: append.contextRows.map((row) => ({ ...row, threadId: 'call' })) });
    if (isEnded) {
      await runs.beginFinishing(started.id, started.epoch, completed);
      const end = { ...position, lastSeq: lastSeq + count, lastContextSeq: lastContextSeq + 1 };
      await runs.finish(finishOf(end, completed));
    }
  }

  const seqs = async (sessionId: Parameters<typeof startRequest>[0]) =>
    (await repositories.log.read({ sessionId, afterSeq: 0, limit: 100_000 })).map(({ seq }) => Number(seq));
  const firstSeq = async (sessionId: Parameters<typeof startRequest>[0]) =>
    (await repositories.sessions.find(alice, sessionId))?.firstSeq;

  test('keeps the newest events, whole runs of them, and all of a run that goes on', async () => {
    const { id } = await repositories.sessions.create(newSession());
    await run(id, 8);
    await run(id, 8);
    await run(id, 8, false);
    expect((await retain({ maxEvents: 15 }).done).trimmedEvents).toBe(10);
    expect([await firstSeq(id), (await seqs(id))[0]]).toEqual([11, 11]);
    // The second run ends at 20, and only 9 events follow it.
    expect((await retain({ maxEvents: 10 }).done).trimmedEvents).toBe(0);
    expect((await retain({ maxEvents: 1 }).done).trimmedEvents).toBe(10);
    expect(await seqs(id)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29]);
    expect(await repositories.context.read(id, 0, 100)).toHaveLength(5);
  });

  test('throws away more than one step takes, and nothing of a session that is young', async () => {
    const [old, young] = [
      await repositories.sessions.create(newSession()),
      await repositories.sessions.create(newSession()),
    ];
    await run(old.id, 4500);
    await run(young.id, 3);
    const { done } = retain({ maxEvents: 100 });
    expect(await done).toMatchObject({ trimmedEvents: 0 });
    await run(old.id, 200);
    expect(await retain({ maxEvents: 100 }).done).toMatchObject({ trimmedSessions: 1, trimmedEvents: 4502 });
    expect((await seqs(old.id)).length).toBe(202);
    expect((await seqs(young.id)).length).toBe(5);
  });

  test('tells a watcher that it overtakes, and leaves nothing out silently', async () => {
    const { id } = await repositories.sessions.create(newSession());
    await run(id, 700);
    await run(id, 3);
    let looks = 0;
    const log = replaced(repositories.log, {
      async read(query) {
        looks += 1;
        if (looks === 2) {
          await retain({ maxEvents: 5 }).done;
        }
        return repositories.log.read(query);
      },
    });
    const query = { sessionId: id, afterSeq: 0, endsWithRun: false, live: true };
    const watcher = new Watcher((leaving) => followLog({ log, hub: new SessionHub() }, query, leaving));
    const facts = { first_seq: 703, last_seq: 707 };
    await expect(watcher.ended).rejects.toMatchObject({ reason: 'CURSOR_OUT_OF_RANGE', facts });
    expect(watcher.events.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
  });

  test('trims by the age of the runs that ended', async () => {
    const { id } = await repositories.sessions.create(newSession());
    await run(id, 3);
    // It ended at 1_800_000_001_000.
    expect(await retain({ maxAgeMs: 99_001 }).done).toMatchObject({ trimmedEvents: 0 });
    expect((await retain({ maxAgeMs: 98_999 }).done).trimmedSessions).toBeGreaterThan(0);
    expect(await seqs(id)).toEqual([]);
    expect(await firstSeq(id)).toBe(6);
    await run(id, 1);
    expect(await seqs(id)).toEqual([6, 7, 8]);
  });

  test('purges what was deleted long enough ago, after the other services have', async () => {
    const { sessions, database } = repositories;
    const [gone, fresh, busy] = await Promise.all([1, 2, 3].map(() => sessions.create(newSession())));
    const ids = [gone, fresh, busy].map((each) => each?.id ?? '') as Parameters<typeof startRequest>[0][];
    const [goneId, freshId, busyId] = ids;
    if (goneId === undefined || freshId === undefined || busyId === undefined) {
      throw new Error('no session');
    }
    await run(goneId, 3);
    await run(busyId, 3, false);
    await sessions.delete(alice, goneId, false, nowMs - 1000);
    await sessions.delete(alice, freshId, false, nowMs - 999);
    await sessions.delete(alice, busyId, true, nowMs - 5000);
    const failing = retain({}, true);
    expect((await failing.done).purgedSessions).toBe(0);
    expect(failing.errors).toEqual([new TypeError('away')]);
    const { done, deleted } = retain({});
    expect((await done).purgedSessions).toBe(1);
    expect(deleted).toEqual([`${goneId} alice`]);
    const rows = async (table: string, column: string) =>
      (await database?.sql.all(`select * from ${table} where ${column} in (?, ?, ?)`, ids))?.length;
    expect([await rows('sessions', 'id'), await rows('runs', 'session_id')]).toEqual([2, 1]);
    expect(await seqs(goneId)).toEqual([]);
    expect(await repositories.context.read(goneId, 0, 9)).toEqual([]);
    expect(await repositories.context.read(goneId, 0, 9, 'call')).toEqual([]);
    expect(await repositories.context.read(busyId, 0, 9, 'call')).toHaveLength(1);
  });
}

describe('SQLite', () => retention(sqliteRepositories));
describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => retention(mysqlRepositories));
