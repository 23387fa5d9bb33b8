import { afterAll, beforeAll, expect, test } from 'vitest';
import { MikroOrmRunRepository } from '../src/infrastructure/persistence/mikro-orm-run-repository.ts';
import { finishOf } from './builders.ts';
import { type Repositories, sqliteRepositories } from './repository-sets.ts';
import { completed, nowMs, runMoves } from './run-moves.ts';

let repositories: Repositories;
beforeAll(async () => {
  repositories = await sqliteRepositories();
});
afterAll(() => repositories[Symbol.asyncDispose]());
const { runs, startedRun, enqueue, current } = runMoves(() => repositories);

test('accepts the cancel of a run that leaves the queue at this moment', async () => {
  const { run, position } = await startedRun();
  const queued = await enqueue(run.sessionId);
  const { database } = repositories;
  if (database === undefined) {
    throw new Error('no database');
  }
  let isPromoted = false;
  const sql = new Proxy(database.sql, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'run' || typeof value !== 'function') {
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (statement: string, parameters: readonly never[]) => {
        const changed = await target.run(statement, parameters);
        if (!isPromoted && statement.includes('cancel_requested_at = coalesce')) {
          isPromoted = true;
          await runs().beginFinishing(run.id, run.epoch, completed);
          await runs().finish(finishOf(position, completed));
        }
        return changed;
      };
    },
  });
  const racing = new MikroOrmRunRepository({ ...database, sql, urgent: sql });
  expect(await racing.requestCancel(run.sessionId, queued.id, 'stop', nowMs)).toBe('accepted');
  expect((await current(queued)).cancelRequestedAtMs).toBe(nowMs);
});
