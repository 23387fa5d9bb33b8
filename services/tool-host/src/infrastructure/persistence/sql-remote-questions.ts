import { type Database, firstRow } from '@spanwise/persistence';
import type { CallFacts } from '@spanwise/tool-kit/contract';
import type { RemoteQuestions } from '../mcp/remote-questions.ts';
import { databaseNow } from './database-now.ts';

type QuestionRow = { readonly state: string };

/** No interrupt is open for longer: what is older was never asked for again. */
const keptMs = 400 * 24 * 60 * 60 * 1000;

/** Questions on prepared SQL: table `remote_questions`. They go with their session as well. */
export class SqlRemoteQuestions implements RemoteQuestions {
  readonly #database: Database;
  readonly #now: string;

  constructor(database: Database) {
    this.#database = database;
    this.#now = databaseNow(database);
  }

  async find({ runId, callId }: CallFacts): Promise<string | undefined> {
    const sql = 'select state from remote_questions where run_id = ? and call_id = ?';
    return (await firstRow<QuestionRow>(this.#database, sql, [runId, callId]))?.state;
  }

  async keep({ runId, callId, sessionId }: CallFacts, state: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.run('delete from remote_questions where run_id = ? and call_id = ?', [runId, callId]);
      await tx.run(`delete from remote_questions where created_at < ${this.#now} - ?`, [keptMs]);
      const sql = `insert into remote_questions (run_id, call_id, session_id, state, created_at)
        values (?, ?, ?, ?, ${this.#now})`;
      await tx.run(sql, [runId, callId, sessionId, state]);
    });
  }

  async forget({ runId, callId }: CallFacts): Promise<void> {
    await this.#database.run('delete from remote_questions where run_id = ? and call_id = ?', [runId, callId]);
  }
}
