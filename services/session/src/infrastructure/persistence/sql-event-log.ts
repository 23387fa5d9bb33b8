import type { Clock, SessionId } from '@spanwise/kernel';
import { type Database, firstRow, type SqlValue } from '@spanwise/persistence';
import type { AgentEvent } from '../../domain/event/agent-event.ts';
import type { Append, EventLog, EventQuery, LogBounds } from '../../domain/event/event-log.ts';
import { decodeEvent } from '../codec/event-codec.ts';
import { assertCommittedBefore, insertAppend, markOf, type StoreOptions } from './append-statements.ts';

/** Guards: appendsAtLastSeq, appendsOnlyInOwnEpoch. */
const appendGuard = `update sessions
  set last_seq = last_seq + ?, last_ctx_seq = last_ctx_seq + ?, last_append = ?, updated_at = ?
  where id = ? and active_run_id = ? and epoch = ? and last_seq = ?`;

/** What is left of the guard when a test takes the epoch away. */
const appendAnywhere = appendGuard.replace(' and epoch = ?', ' and ? > 0');

/** The event log on prepared SQL: rows of encoded events, no entities. */
export class SqlEventLog implements EventLog {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #guard: string;
  readonly #options: StoreOptions;

  constructor(database: Database, clock: Clock, options: StoreOptions = {}) {
    this.#options = options;
    this.#guard = options.without?.has('appendsOnlyInOwnEpoch') === true ? appendAnywhere : appendGuard;
    this.#database = database;
    this.#clock = clock;
  }

  async append(append: Append): Promise<void> {
    const { position, events, contextRows } = append;
    const { sessionId, runId, epoch, lastSeq } = position;
    const nowMs = this.#clock.nowMs();
    const guard = [events.length, contextRows.length, markOf(append), nowMs, sessionId, runId, epoch, lastSeq];
    await this.#database.transaction(async (tx) => {
      if ((await tx.run(this.#guard, guard)) === 1) {
        await insertAppend(tx, append, nowMs);
      } else {
        await assertCommittedBefore(tx, append, this.#options);
      }
    });
  }

  async read(query: EventQuery): Promise<readonly AgentEvent[]> {
    const conditions = ['session_id = ?', 'seq > ?'];
    const parameters: SqlValue[] = [query.sessionId, query.afterSeq];
    if (query.untilSeq !== undefined) {
      conditions.push('seq <= ?');
      parameters.push(query.untilSeq);
    }
    if (query.runId !== undefined) {
      conditions.push('run_id = ?');
      parameters.push(query.runId);
    }
    if (query.cases !== undefined) {
      conditions.push(`type in (${query.cases.map(() => '?').join(', ')})`);
      parameters.push(...query.cases);
    }
    // The limit is a number of our own; prepared statements of MySQL do not take one as a parameter everywhere.
    const sql = `select payload from ui_events where ${conditions.join(' and ')} order by seq limit ${query.limit}`;
    const rows = await this.#database.all<{ payload: Uint8Array }>(sql, parameters);
    return rows.map(({ payload }) => decodeEvent(payload));
  }

  async bounds(sessionId: SessionId): Promise<LogBounds | undefined> {
    const sql = 'select first_seq, last_seq from sessions where id = ?';
    const row = await firstRow<{ first_seq: number; last_seq: number }>(this.#database, sql, [sessionId]);
    return row === undefined ? undefined : { firstSeq: row.first_seq, lastSeq: row.last_seq };
  }
}
