import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brandId, type CallId, type RunId, randomIds, type SessionId, systemClock } from '@spanwise/kernel';
import { type Database, databaseUnavailable, type OpenDatabase, openDatabase } from '@spanwise/persistence';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import type { ExecutionStart } from '../src/domain/execution/execution.ts';
import type { Ledger } from '../src/domain/execution/ledger.ts';
import type { InstanceRepository } from '../src/domain/instance/instance-repository.ts';
import { InMemoryInstanceRepository } from '../src/infrastructure/persistence/in-memory-instance-repository.ts';
import { InMemoryLedger } from '../src/infrastructure/persistence/in-memory-ledger.ts';
import { migrations } from '../src/infrastructure/persistence/migrations.ts';
import { SqlInstanceRepository } from '../src/infrastructure/persistence/sql-instance-repository.ts';
import { SqlLedger } from '../src/infrastructure/persistence/sql-ledger.ts';
import { changedLedger } from './changed-ledger.ts';

/** Ledger and instances on one store. */
export interface LedgerSet extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly instances: InstanceRepository;
  /** The same ledger over connections that are lost right after each commit. */
  readonly losing: Ledger;
  /** Undefined for those in memory. */
  readonly database?: OpenDatabase;
}

export const ids = randomIds();

export async function inMemoryLedger(): Promise<LedgerSet> {
  const instances = new InMemoryInstanceRepository(systemClock);
  const ledger = new InMemoryLedger(instances);
  const losing = changedLedger(ledger, {
    async begin(start) {
      await ledger.begin(start);
      throw databaseUnavailable('lost');
    },
    async settle(...settled) {
      await ledger.settle(...settled);
      throw databaseUnavailable('lost');
    },
  });
  return { ledger, losing, instances, [Symbol.asyncDispose]: async () => undefined };
}

export async function sqliteLedger(): Promise<LedgerSet> {
  const folder = mkdtempSync(join(tmpdir(), 'spanwise-tool-host-'));
  const set = await openLedger(`sqlite:${folder}/tool-host.db`);
  return {
    ...set,
    async [Symbol.asyncDispose]() {
      await set[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function mysqlLedger(): Promise<LedgerSet> {
  const { url, [Symbol.asyncDispose]: drop } = await freshDatabase(mysqlServerUrl ?? '');
  const set = await openLedger(url);
  return { ...set, [Symbol.asyncDispose]: () => set[Symbol.asyncDispose]().then(drop) };
}

async function openLedger(url: string): Promise<LedgerSet> {
  const database = await openDatabase({ url, entities: [], migrations, service: 'tool_host' });
  await database.migrate();
  return {
    ledger: new SqlLedger(database.sql),
    losing: new SqlLedger(losingAnswers(database.sql)),
    instances: new SqlInstanceRepository(database.sql),
    database,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** What is written is committed, and whoever wrote it is not told. */
function losingAnswers(database: Database): Database {
  return {
    dialect: database.dialect,
    all: (sql, parameters) => database.all(sql, parameters),
    async run(sql, parameters) {
      await database.run(sql, parameters);
      throw databaseUnavailable('lost');
    },
    async transaction(work) {
      await database.transaction(work);
      throw databaseUnavailable('lost');
    },
  };
}

/** A new attempt at a new call of a new session. */
export function newStart(facts: Partial<ExecutionStart>): ExecutionStart {
  return {
    runId: brandId<RunId>(ids.uuid()),
    callId: brandId<CallId>(ids.uuid()),
    sessionId: brandId<SessionId>(ids.uuid()),
    instanceId: 'none',
    mark: ids.uuid(),
    epoch: 1,
    tool: 'probe',
    effect: 'NON_REPEATABLE',
    argsHash: 'same',
    answeredInterruptId: undefined,
    ...facts,
  };
}
