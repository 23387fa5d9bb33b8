import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { type Database, firstRow } from '@spanwise/persistence';
import type { ContextRange, LlmContext, StoredMessage } from '../../domain/context/llm-context.ts';

type ContextRecord = {
  readonly seq: number;
  readonly message_id: string;
  readonly run_id: string;
  readonly role: number;
  readonly tokens: number;
  readonly payload: Uint8Array;
  readonly created_at: number;
};

/** The model context on prepared SQL. Rows are written by the appends of the log. */
export class SqlLlmContext implements LlmContext {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async read(sessionId: SessionId, afterSeq: number, limit: number, threadId = ''): Promise<readonly StoredMessage[]> {
    const sql = `select seq, message_id, run_id, role, tokens, payload, created_at from llm_context
      where session_id = ? and thread_id = ? and seq > ? and superseded_at_seq is null order by seq limit ${limit}`;
    const rows = await this.#database.all<ContextRecord>(sql, [sessionId, threadId, afterSeq]);
    return rows.map((row) => ({
      seq: row.seq,
      messageId: row.message_id,
      runId: brandId<RunId>(row.run_id),
      role: row.role,
      tokens: row.tokens,
      payload: row.payload,
      createdAtMs: row.created_at,
      ...(threadId === '' ? {} : { threadId }),
    }));
  }

  async rangeOf(sessionId: SessionId, runId: RunId): Promise<ContextRange | undefined> {
    const sql = 'select min(seq) first_seq, max(seq) last_seq from llm_context where session_id = ? and run_id = ?';
    type Range = { readonly first_seq: number | null; readonly last_seq: number | null };
    const range = await firstRow<Range>(this.#database, sql, [sessionId, runId]);
    const { first_seq: firstSeq, last_seq: lastSeq } = range ?? { first_seq: null, last_seq: null };
    return firstSeq === null || lastSeq === null ? undefined : { firstSeq, lastSeq };
  }
}
