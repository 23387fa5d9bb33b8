import { mysqlServerUrl } from '@spanwise/testing';
import { describe, expect, test } from 'vitest';
import { ledgerContract } from './ledger.contract.ts';
import { inMemoryLedger, type LedgerSet, mysqlLedger, newStart, sqliteLedger } from './ledger-sets.ts';

describe('in memory', () => ledgerContract(inMemoryLedger));

describe('SQLite', () => {
  ledgerContract(sqliteLedger);
  test('ends the leases of all instances for a process that is alone', () => endsAllLeases(sqliteLedger));
});

describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => {
  ledgerContract(mysqlLedger);
  test('ends the leases of all instances for a process that is alone', () => endsAllLeases(mysqlLedger));
});

async function endsAllLeases(open: () => Promise<LedgerSet>): Promise<void> {
  await using set = await open();
  const { instanceId } = newStart({ instanceId: 'before' });
  await set.instances.register({ id: instanceId, address: '' }, 60_000);
  await set.instances.removeAll();
  expect(await set.instances.alive()).toEqual([]);
}
