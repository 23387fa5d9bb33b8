import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDatabase } from '@spanwise/persistence';
import { mysqlServerUrl } from '@spanwise/testing';
import { describe, expect, test } from 'vitest';
import { migrations } from '../src/infrastructure/persistence/migrations.ts';
import { SqlAuditLog } from '../src/infrastructure/persistence/sql-audit-log.ts';
import { auditContract } from './audit.contract.ts';
import { inMemoryLedger, type LedgerSet, mysqlLedger, newStart, sqliteLedger } from './ledger-sets.ts';

describe('in memory', () => auditContract(inMemoryLedger));

describe('SQLite', () => {
  auditContract(sqliteLedger);
  test('is written with the settlement, or neither is', () => isOneTransaction(sqliteLedger));
});

describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => {
  auditContract(mysqlLedger);
  test('is written with the settlement, or neither is', () => isOneTransaction(mysqlLedger));
});

async function isOneTransaction(open: () => Promise<LedgerSet>): Promise<void> {
  await using set = await open();
  const start = newStart({ instanceId: 'here' });
  const { audit, mark: id, answeredInterruptId: _, ...attempt } = start;
  await set.instances.register({ id: 'here', address: '' }, 60_000);
  await set.ledger.begin(start);
  // A line that is there already is one that can not be written.
  await set.audit.add({ ...attempt, ...audit, id, outcome: 'ok', code: '' });
  const result = { callId: start.callId, outcome: 'ok', text: 'done', structuredJson: '', code: '' } as const;
  const end = { result: { ...result, truncated: undefined }, errorType: '' };
  await expect(set.ledger.settle(start, { state: 'DONE', end })).rejects.toThrow(/unique|duplicate/i);
  expect((await set.ledger.find(start))?.state).toBe('STARTED');
}

test('deletes what is old as a step of its own, and says how much', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-audit-'));
  const databaseUrl = `sqlite:${folder}/tool-host.db`;
  try {
    const env = { ...process.env, SPANWISE_DATABASE_URL: databaseUrl, SPANWISE_AUDIT_DAYS: '7' };
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const run = (step: string) => promisify(execFile)(process.execPath, [main, step], { env });
    await run('migrate');
    const database = await openDatabase({ url: databaseUrl, entities: [], migrations, service: 'tool_host' });
    const log = new SqlAuditLog(database.sql);
    for (let index = 0; index < 3; index += 1) {
      const { audit, mark: id, answeredInterruptId: _, ...attempt } = newStart({});
      await log.add({ ...attempt, ...audit, id, outcome: 'ok', code: '' });
    }
    const week = 7 * 24 * 60 * 60 * 1000;
    await database.sql.run('update audit set time_ms = time_ms - ? where rowid <> 1', [week + 1000]);
    await database[Symbol.asyncDispose]();
    expect((await run('retain')).stdout).toBe('Deleted 2 lines of the audit.\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
