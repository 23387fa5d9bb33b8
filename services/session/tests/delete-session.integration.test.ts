import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finish } from '../src/domain/run/run-repository.ts';
import { alice, beginning, eventAt, newSession } from './builders.ts';
import {
  ids,
  inMemoryRepositories,
  mysqlRepositories,
  type Repositories,
  sqliteRepositories,
} from './repository-sets.ts';

/** Deleting a session while its run ends: whatever comes first, what was answered is true. */
function deletingWhileEnding(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());

  async function startedRun() {
    const { id: sessionId } = await repositories.sessions.create(newSession());
    const request = { uid: alice, sessionId, requestId: ids.uuid(), fingerprint: 'same' };
    const { run, lastSeq, lastContextSeq } = await repositories.runs.start(request, (session) =>
      beginning(session, { requestId: request.requestId }),
    );
    const position = { sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
    const last = eventAt(lastSeq + 1, sessionId, run.id, run.epoch, {
      case: 'runEnd',
      value: { outcome: 1, finishReason: 1 },
    });
    const finish: Finish = {
      append: { position, events: [last], contextRows: [] },
      ending: { status: 'COMPLETED', finishReason: 1, usage: undefined },
      terminalSeq: lastSeq + 1,
      nowMs: 9,
    };
    await repositories.runs.beginFinishing(run.id, run.epoch);
    return { sessionId, finish };
  }

  test('answers that it deleted only what is gone', async () => {
    for (let n = 0; n < 30; n += 1) {
      const { sessionId, finish } = await startedRun();
      const [, deleted] = await Promise.all([
        repositories.runs.finish(finish),
        repositories.sessions.delete(alice, sessionId, true, 9),
      ]);
      expect(deleted.kind).toBe('deleted');
      expect(await repositories.sessions.find(alice, sessionId)).toBeUndefined();
    }
  });
}

describe('in memory', () => {
  deletingWhileEnding(inMemoryRepositories);
});
describe('SQLite', () => {
  deletingWhileEnding(sqliteRepositories);
});
describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => {
  deletingWhileEnding(mysqlRepositories);
});
