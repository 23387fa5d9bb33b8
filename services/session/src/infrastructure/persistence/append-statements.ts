import { randomUUID } from 'node:crypto';
import { invariantBroken } from '@spanwise/kernel';
import { firstRow, insertRows, type SqlExecutor, type SqlValue } from '@spanwise/persistence';
import type { AgentEvent } from '../../domain/event/agent-event.ts';
import { deltaOf } from '../../domain/event/delta.ts';
import { fenced } from '../../domain/event/event-errors.ts';
import type { Append, AppendPosition } from '../../domain/event/event-log.ts';
import type { RunGuard } from '../../domain/run/guards.ts';
import { encodeEvent } from '../codec/event-codec.ts';
import { insertInterrupts } from './sql-interrupt-repository.ts';

/** What the stores of runs and their logs are told. */
export interface StoreOptions {
  /** Only for tests that show what a guard is for. */
  readonly without?: ReadonlySet<RunGuard>;
  /** Told of a commit whose answer was lost, when it is made again and finds itself. */
  readonly onRecognised?: (position: AppendPosition) => void;
}

/** The mark of an append: the same however often it is tried, so that it finds out whether it was committed. */
const marks = new WeakMap<Append, string>();

export function markOf(append: Append): string {
  let mark = marks.get(append);
  if (mark === undefined) {
    mark = randomUUID();
    marks.set(append, mark);
  }
  return mark;
}

const eventColumns = [
  'session_id',
  'seq',
  'run_id',
  'epoch',
  'type',
  'block_id',
  'block_offset',
  'payload',
  'created_at',
] as const;

const contextColumns = [
  'session_id',
  'seq',
  'message_id',
  'thread_id',
  'run_id',
  'epoch',
  'role',
  'tokens',
  'payload',
  'created_at',
] as const;

/** The rows of an append. Its guard comes first, in the same transaction. */
export async function insertAppend(tx: SqlExecutor, append: Append, nowMs: number): Promise<void> {
  const { position, events, contextRows } = append;
  const { sessionId, epoch } = position;
  await insertRows(
    tx,
    'ui_events',
    eventColumns,
    events.map((event) => eventRow(position, event, nowMs)),
  );
  const rows = contextRows.map((row, index): SqlValue[] => [
    sessionId,
    position.lastContextSeq + index + 1,
    row.messageId,
    row.threadId ?? '',
    row.runId,
    epoch,
    row.role,
    row.tokens,
    row.payload,
    nowMs,
  ]);
  await insertRows(tx, 'llm_context', contextColumns, rows);
  await insertInterrupts(tx, position.runId, events);
  if (append.spec !== undefined) {
    await tx.run('update runs set spec = ? where id = ? and epoch = ?', [append.spec, position.runId, epoch]);
  }
}

function eventRow({ sessionId, runId, epoch }: AppendPosition, event: AgentEvent, nowMs: number): SqlValue[] {
  const delta = deltaOf(event.data);
  const seq = Number(event.seq);
  const type = event.data.case ?? '';
  return [sessionId, seq, runId, epoch, type, delta?.blockId ?? null, delta?.offset ?? null, encodeEvent(event), nowMs];
}

/**
 * Called when the guard of an append matched no row. Returns when the append was committed before, by this very caller;
 * throws FENCED when the run is no longer this epoch's. Guards: recognisesOwnAppend.
 */
export async function assertCommittedBefore(
  tx: SqlExecutor,
  append: Append,
  { onRecognised }: StoreOptions,
): Promise<void> {
  const { sessionId, runId, epoch } = append.position;
  const row = await firstRow(tx, 'select last_append, epoch, active_run_id from sessions where id = ?', [sessionId]);
  if (row?.last_append === markOf(append)) {
    onRecognised?.(append.position);
    return;
  }
  if (row?.epoch !== epoch || row.active_run_id !== runId) {
    throw fenced();
  }
  throw invariantBroken('another writer appended in the same epoch');
}
