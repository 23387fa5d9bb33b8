import { mysqlServerUrl } from '@spanwise/testing';
import { describe, expect, test } from 'vitest';

import { inMemoryRepositories, mysqlRepositories, type Repositories, sqliteRepositories } from './repository-sets.ts';
import { runOwnershipContract } from './run-ownership.contract.ts';
import { runQueueContract } from './run-queue.contract.ts';
import { runRepositoryContract } from './run-repository.contract.ts';
import { runRollbackContract } from './run-rollback.contract.ts';
import { runThreadsContract } from './run-threads.contract.ts';
import { runWaitingContract } from './run-waiting.contract.ts';
import { sessionRepositoryContract } from './session-repository.contract.ts';

function repositoriesContract(open: () => Promise<Repositories>): void {
  describe('sessions', () => sessionRepositoryContract(open));
  describe('runs', () => runRepositoryContract(open));
  describe('ownership of runs', () => runOwnershipContract(open));
  describe('queued runs', () => runQueueContract(open));
  describe('runs that are rolled back', () => runRollbackContract(open));
  describe('threads of runs', () => runThreadsContract(open));
  describe('waiting runs', () => runWaitingContract(open));
}

/** The queries that must not grow with the table, and the index that each is to use. */
const plans = [
  [
    'select * from sessions where uid = ? and deleted_at is null and created_at <= ? order by created_at desc, id desc limit 51',
    ['sessions_uid_created'],
  ],
  ['select payload from ui_events where session_id = ? and seq > ? order by seq limit 51', ['PRIMARY']],
  [
    "select payload from llm_context where session_id = ? and thread_id = '' and seq > ? and superseded_at_seq is null order by seq limit 51",
    // Both begin with the session and end with the seq.
    ['llm_context_thread', 'PRIMARY'],
  ],
  [
    "select payload from llm_context where session_id = ? and thread_id = 'call' and seq > ? and superseded_at_seq is null order by seq limit 51",
    ['llm_context_thread', 'PRIMARY'],
  ],
] as const;

describe('in memory', () => repositoriesContract(inMemoryRepositories));

describe('SQLite', () => {
  repositoriesContract(sqliteRepositories);

  test.each(plans)('plans %s on its index', async (sql, indexes) => {
    await using repositories = await sqliteRepositories();
    const rows = await explain(repositories, `explain query plan ${sql}`);
    const plan = rows.map(({ detail }) => detail).join('; ');
    const names = indexes.map((index) => (index === 'PRIMARY' ? 'sqlite_autoindex' : index));
    expect(names.some((name) => plan.includes(name))).toBe(true);
    expect(plan).not.toMatch(/SCAN|TEMP B-TREE/);
  });
});

describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => {
  repositoriesContract(mysqlRepositories);

  test.each(plans)('plans %s on its index', async (sql, indexes) => {
    await using repositories = await mysqlRepositories();
    const [row] = await explain(repositories, `explain ${sql}`);
    expect(indexes).toContain(row?.key);
    expect(row?.Extra ?? '').not.toMatch(/filesort|temporary/i);
  });
});

function explain({ database }: Repositories, sql: string): Promise<Record<string, string | null>[]> {
  return database?.sql.all<Record<string, string | null>>(sql, ['x', 1]) ?? Promise.resolve([]);
}
