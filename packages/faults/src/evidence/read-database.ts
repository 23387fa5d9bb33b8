import { fromBinary } from '@bufbuild/protobuf';
import { AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { databaseNames } from '../cluster/database-names.ts';
import type {
  ContextRow,
  EventRow,
  ExecutionRow,
  FileRow,
  LayerRow,
  RunRow,
  RunRowStatus,
  SessionRow,
} from './evidence.ts';
import { readFiles, readLayers } from './read-files.ts';
import { rowsOf } from './rows-of.ts';

/** The rows that the checkers look at. */
export interface DatabaseRows {
  readonly sessions: readonly SessionRow[];
  readonly runs: readonly RunRow[];
  readonly events: readonly EventRow[];
  readonly context: readonly ContextRow[];
  readonly executions: readonly ExecutionRow[];
  readonly layers: readonly LayerRow[];
  readonly files: readonly FileRow[];
}

/** Reads all rows of one cluster, past all links, and decodes them. */
export async function readDatabase(serverUrl: string): Promise<DatabaseRows> {
  const connection = await createConnection({ uri: serverUrl, database: databaseNames.session });
  try {
    // One snapshot: what still goes on does not change between two tables.
    await connection.query('set transaction isolation level repeatable read');
    await connection.query('start transaction with consistent snapshot');
    return {
      sessions: (await rowsOf(connection, 'select * from sessions')).map(sessionOf),
      runs: (await rowsOf(connection, 'select * from runs order by id')).map(runOf),
      events: (await rowsOf(connection, 'select * from ui_events order by session_id, seq')).map(eventOf),
      context: (await rowsOf(connection, 'select * from llm_context order by session_id, seq')).map(contextOf),
      executions: (await rowsOf(connection, `select * from ${databaseNames['tool-host']}.executions`)).map(executionOf),
      layers: await readLayers(connection),
      files: await readFiles(connection),
    };
  } finally {
    await connection.end();
  }
}

/** Runs that are not over, except those that wait for their users and what is queued behind those. */
export async function countUnfinished(serverUrl: string): Promise<number> {
  const connection = await createConnection({ uri: serverUrl, database: databaseNames.session });
  try {
    const [row] = await rowsOf(
      connection,
      `select count(*) as unfinished from runs r join sessions s on s.id = r.session_id
        where r.status in ('RUNNING', 'FINISHING') or (r.status = 'QUEUED' and s.status <> 'WAITING')
          or (r.status = 'WAITING' and r.cancel_requested_at is not null)`,
    );
    return Number(row?.unfinished);
  } finally {
    await connection.end();
  }
}

function sessionOf(row: RowDataPacket): SessionRow {
  return {
    id: String(row.id),
    uid: String(row.uid),
    status: row.status as SessionRow['status'],
    activeRunId: textOf(row.active_run_id as string | null),
    epoch: Number(row.epoch),
    firstSeq: Number(row.first_seq),
    lastSeq: Number(row.last_seq),
    isDeleted: row.deleted_at !== null,
  };
}

function runOf(row: RowDataPacket): RunRow {
  return {
    id: String(row.id),
    sessionId: String(row.session_id),
    requestId: String(row.request_id),
    status: row.status as RunRowStatus,
    attempt: Number(row.attempt),
    startSeq: Number(row.start_seq),
    terminalSeq: Number(row.terminal_seq),
    isCancelRequested: row.cancel_requested_at !== null,
    rollsBack: Number(row.rolls_back) === 1,
    endedAtMs: row.ended_at === null ? undefined : Number(row.ended_at),
  };
}

function eventOf(row: RowDataPacket): EventRow {
  return {
    sessionId: String(row.session_id),
    seq: Number(row.seq),
    runId: String(row.run_id),
    epoch: Number(row.epoch),
    createdAtMs: Number(row.created_at),
    event: fromBinary(AgentEventSchema, row.payload as Uint8Array),
  };
}

function contextOf(row: RowDataPacket): ContextRow {
  return {
    sessionId: String(row.session_id),
    seq: Number(row.seq),
    runId: String(row.run_id),
    threadId: String(row.thread_id),
    message: fromBinary(MessageSchema, row.payload as Uint8Array),
    supersededAtSeq: row.superseded_at_seq === null ? undefined : Number(row.superseded_at_seq),
  };
}

function executionOf(row: RowDataPacket): ExecutionRow {
  return {
    runId: String(row.run_id),
    callId: String(row.call_id),
    sessionId: String(row.session_id),
    epoch: Number(row.epoch),
    tool: String(row.tool),
    effect: row.effect as ExecutionRow['effect'],
    state: row.state as ExecutionRow['state'],
  };
}

function textOf(value: string | null): string | undefined {
  return value ?? undefined;
}
