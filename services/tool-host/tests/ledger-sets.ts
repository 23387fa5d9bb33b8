import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brandId, type CallId, type RunId, randomIds, type SessionId, systemClock, type Uid } from '@spanwise/kernel';
import {
  type Database,
  databaseUnavailable,
  type OpenDatabase,
  openDatabase,
  type SqlRow,
} from '@spanwise/persistence';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import type { AuditDecision, AuditEntry, AuditFacts } from '../src/domain/audit/audit-entry.ts';
import type { AuditLog } from '../src/domain/audit/audit-log.ts';
import type { ExecutionStart } from '../src/domain/execution/execution.ts';
import type { Ledger } from '../src/domain/execution/ledger.ts';
import type { InstanceRepository } from '../src/domain/instance/instance-repository.ts';
import { InMemoryAuditLog } from '../src/infrastructure/persistence/in-memory-audit-log.ts';
import { InMemoryInstanceRepository } from '../src/infrastructure/persistence/in-memory-instance-repository.ts';
import { InMemoryLedger } from '../src/infrastructure/persistence/in-memory-ledger.ts';
import { migrations } from '../src/infrastructure/persistence/migrations.ts';
import { SqlAuditLog } from '../src/infrastructure/persistence/sql-audit-log.ts';
import { SqlInstanceRepository } from '../src/infrastructure/persistence/sql-instance-repository.ts';
import { SqlLedger } from '../src/infrastructure/persistence/sql-ledger.ts';
import { changedLedger } from './changed-ledger.ts';

/** Ledger and instances on one store. */
export interface LedgerSet extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly instances: InstanceRepository;
  /** The same ledger over connections that are lost right after each commit. */
  readonly losing: Ledger;
  readonly audit: AuditLog;
  /** The lines of a session, in the order in which they were added. */
  readonly audited: (sessionId: SessionId) => Promise<readonly AuditEntry[]>;
  /** Undefined for those in memory. */
  readonly database?: OpenDatabase;
}

export const ids = randomIds();

export async function inMemoryLedger(): Promise<LedgerSet> {
  const instances = new InMemoryInstanceRepository(systemClock);
  const audit = new InMemoryAuditLog(systemClock);
  const ledger = new InMemoryLedger(instances, audit);
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
  const audited = async (sessionId: SessionId) => audit.entries.filter((entry) => entry.sessionId === sessionId);
  return { ledger, losing, instances, audit, audited, [Symbol.asyncDispose]: async () => undefined };
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
    audit: new SqlAuditLog(database.sql),
    audited: (sessionId) => auditedIn(database.sql, sessionId),
    database,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function auditedIn(sql: Database, sessionId: SessionId): Promise<readonly AuditEntry[]> {
  const columns = `id, uid, session_id, run_id, call_id, tool, tool_version, effect, decision, rule, args_hash, targets,
    outcome, code, trace_id`;
  const query = `select ${columns} from audit where session_id = ? order by time_ms, id`;
  return (await sql.all<SqlRow>(query, [sessionId])).map(({ targets, ...row }) => {
    const named = Object.entries(row).map(([name, value]) => [
      name.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase()),
      value,
    ]);
    return { ...Object.fromEntries(named), targets: JSON.parse(String(targets)) } as AuditEntry;
  });
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

/** What is said of a call of Ann's. */
export function auditOf(decision: AuditDecision): AuditFacts {
  const targets = [{ kind: 'path', value: '/workspace/ä', access: 'write' }] as const;
  return { uid: brandId<Uid>('ann'), toolVersion: '2', decision, rule: 'probe(*)', targets, traceId: '1'.repeat(32) };
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
    audit: auditOf('allow'),
    ...facts,
  };
}
