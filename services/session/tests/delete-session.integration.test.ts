import { mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alice, finishOf, newSession, planOf, startRequest } from './builders.ts';
import { inMemoryRepositories, mysqlRepositories, type Repositories, sqliteRepositories } from './repository-sets.ts';

/** Deleting a session while its run ends: whatever comes first, what was answered is true. */
function deletingWhileEnding(open: () => Promise<Repositories>): void {
  let repositories: Repositories;
  beforeAll(async () => {
    repositories = await open();
  });
  afterAll(() => repositories[Symbol.asyncDispose]());

  async function startedRun() {
    const { id: sessionId } = await repositories.sessions.create(newSession());
    const outcome = await repositories.runs.start(startRequest(sessionId), planOf());
    if (outcome.kind !== 'started') {
      throw new Error(outcome.kind);
    }
    const { run, lastSeq, lastContextSeq } = outcome.started;
    const position = { sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
    const ending = { status: 'COMPLETED', finishReason: 1, usage: undefined } as const;
    const finish = finishOf(position, ending);
    await repositories.runs.beginFinishing(run.id, run.epoch, ending);
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
