import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomIds, systemClock } from '@spanwise/kernel';
import { type OpenDatabase, openDatabase } from '@spanwise/persistence';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import type { LlmContext } from '../src/domain/context/llm-context.ts';
import type { EventLog } from '../src/domain/event/event-log.ts';
import type { InstanceRepository } from '../src/domain/instance/instance-repository.ts';
import type { InterruptRepository } from '../src/domain/run/interrupt-repository.ts';
import type { RunRepository } from '../src/domain/run/run-repository.ts';
import type { SessionRepository } from '../src/domain/session/session-repository.ts';
import { InMemoryEventLog, InMemoryLlmContext } from '../src/infrastructure/persistence/in-memory-event-log.ts';
import {
  InMemoryInstanceRepository,
  InMemoryInterruptRepository,
} from '../src/infrastructure/persistence/in-memory-instance-repository.ts';
import { InMemoryRunRepository } from '../src/infrastructure/persistence/in-memory-run-repository.ts';
import { InMemorySessionRepository } from '../src/infrastructure/persistence/in-memory-session-repository.ts';
import { InMemoryStore } from '../src/infrastructure/persistence/in-memory-store.ts';
import { migrations } from '../src/infrastructure/persistence/migrations.ts';
import { MikroOrmRunRepository } from '../src/infrastructure/persistence/mikro-orm-run-repository.ts';
import { MikroOrmSessionRepository } from '../src/infrastructure/persistence/mikro-orm-session-repository.ts';
import { RunRecord, SessionRecord } from '../src/infrastructure/persistence/records.ts';
import { SqlEventLog } from '../src/infrastructure/persistence/sql-event-log.ts';
import { SqlInstanceRepository } from '../src/infrastructure/persistence/sql-instance-repository.ts';
import { SqlInterruptRepository } from '../src/infrastructure/persistence/sql-interrupt-repository.ts';
import { SqlLlmContext } from '../src/infrastructure/persistence/sql-llm-context.ts';

/** The repositories of the session service, on one store. */
export interface Repositories extends AsyncDisposable {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly log: EventLog;
  readonly context: LlmContext;
  readonly instances: InstanceRepository;
  readonly interrupts: InterruptRepository;
  /** Undefined for the in-memory ones. */
  readonly database?: OpenDatabase;
}

export const ids = randomIds();

export async function inMemoryRepositories(): Promise<Repositories> {
  const store = new InMemoryStore(systemClock);
  return {
    sessions: new InMemorySessionRepository(store),
    runs: new InMemoryRunRepository(store),
    log: new InMemoryEventLog(store),
    context: new InMemoryLlmContext(store),
    instances: new InMemoryInstanceRepository(store),
    interrupts: new InMemoryInterruptRepository(store),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

export async function sqliteRepositories(): Promise<Repositories> {
  const folder = mkdtempSync(join(tmpdir(), 'spanwise-session-'));
  const repositories = await openRepositories(`sqlite:${folder}/session.db`);
  return {
    ...repositories,
    async [Symbol.asyncDispose]() {
      await repositories[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function mysqlRepositories(): Promise<Repositories> {
  const { url, [Symbol.asyncDispose]: drop } = await freshDatabase(mysqlServerUrl ?? '');
  const repositories = await openRepositories(url);
  return { ...repositories, [Symbol.asyncDispose]: () => repositories[Symbol.asyncDispose]().then(drop) };
}

async function openRepositories(url: string): Promise<Repositories> {
  const database = await openDatabase({ url, entities: [SessionRecord, RunRecord], migrations, service: 'session' });
  await database.migrate();
  return {
    sessions: new MikroOrmSessionRepository(database),
    runs: new MikroOrmRunRepository(database),
    log: new SqlEventLog(database.sql, systemClock),
    context: new SqlLlmContext(database.sql),
    instances: new SqlInstanceRepository(database.sql),
    interrupts: new SqlInterruptRepository(database.sql),
    database,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
