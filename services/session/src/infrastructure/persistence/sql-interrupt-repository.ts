import type { RunId, SessionId } from '@spanwise/kernel';
import { type Database, firstRow, insertRows, type SqlExecutor } from '@spanwise/persistence';
import {
  type AgentEvent,
  type Approval,
  eventTime,
  eventTimeMs,
  type Interrupt,
  interruptKind,
} from '../../domain/event/agent-event.ts';
import type { AnswerOutcome, InterruptRepository, OwnersAnswer } from '../../domain/run/interrupt-repository.ts';
import { isOver, type RunStatus } from '../../domain/run/run.ts';

type InterruptRow = {
  readonly id: string;
  readonly call_id: string;
  readonly kind: number;
  readonly message: string;
  readonly schema_json: string;
  readonly expires_at: number | null;
  /** JSON of an Approval. */
  readonly approval: string | null;
};

type AnswerRow = {
  readonly status: string;
  readonly kind: number;
  readonly answered_at: number | null;
  readonly answer: string | null;
  readonly expires_at: number | null;
};

const columns = ['run_id', 'id', 'call_id', 'kind', 'message', 'schema_json', 'expires_at', 'approval'] as const;

/** Stores the interrupts that an append tells of, in its transaction: what is seen can be answered. */
export async function insertInterrupts(tx: SqlExecutor, runId: RunId, events: readonly AgentEvent[]): Promise<void> {
  const rows = events.flatMap(({ data }) => {
    const interrupt = data.case === 'interrupt' ? data.value.interrupt : undefined;
    return interrupt === undefined ? [] : [valuesOf(runId, interrupt)];
  });
  if (rows.length > 0) {
    await insertRows(tx, 'interrupts', columns, rows);
  }
}

function valuesOf(runId: RunId, { id, callId, kind, message, schemaJson, expireTime, approval }: Interrupt) {
  const expiresAt = expireTime === undefined ? null : Math.floor(eventTimeMs(expireTime));
  return [
    runId,
    id,
    callId,
    kind,
    message,
    schemaJson,
    expiresAt,
    approval === undefined ? null : JSON.stringify(approval),
  ];
}

/** Interrupts on prepared SQL. Guards: answersOnce. */
export class SqlInterruptRepository implements InterruptRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(sessionId: SessionId, runId: RunId, interruptId: string): Promise<Interrupt | undefined> {
    const row = await firstRow<InterruptRow>(
      this.#database,
      `select i.id, i.call_id, i.kind, i.message, i.schema_json, i.expires_at, i.approval from interrupts i
        join runs r on r.id = i.run_id where i.run_id = ? and i.id = ? and r.session_id = ?`,
      [runId, interruptId, sessionId],
    );
    return row === undefined ? undefined : interruptFromRow(row);
  }

  answer(answer: OwnersAnswer, nowMs: number): Promise<AnswerOutcome> {
    const { sessionId, runId, interruptId, answerJson } = answer;
    return this.#database.transaction(async (tx) => {
      // Locks the session: a run that begins to wait at this moment sees the answer, or this sees it wait.
      await tx.run('update sessions set updated_at = ? where id = ?', [nowMs, sessionId]);
      const found = await firstRow<AnswerRow>(
        tx,
        `select r.status, i.kind, i.answered_at, i.answer, i.expires_at from interrupts i join runs r on r.id = i.run_id
          where i.run_id = ? and i.id = ? and r.session_id = ?`,
        [runId, interruptId, sessionId],
      );
      if (found === undefined) {
        return 'not-found';
      }
      if (found.answered_at !== null) {
        return found.answer === answerJson ? 'answered' : 'answered-before';
      }
      if (isOver(found.status as RunStatus)) {
        return 'not-found';
      }
      if (found.expires_at !== null && found.expires_at <= nowMs) {
        // Nobody may have taken the run as it is due, yet.
        return 'answered-before';
      }
      await storeAnswer(tx, answer, found.kind === interruptKind.auth, nowMs);
      return 'answered';
    });
  }

  async open(runId: RunId): Promise<readonly Interrupt[]> {
    const rows = await this.#database.all<InterruptRow>(
      `select id, call_id, kind, message, schema_json, expires_at, approval from interrupts
        where run_id = ? and answered_at is null order by id`,
      [runId],
    );
    return rows.map(interruptFromRow);
  }
}

async function storeAnswer(tx: SqlExecutor, answer: OwnersAnswer, isAuth: boolean, nowMs: number): Promise<void> {
  const { runId, interruptId, answerJson, answeredBy, sealedToken } = answer;
  const set = 'update interrupts set answer = ?, answered_by = ?, answered_at = ?';
  const values = [answerJson, answeredBy, nowMs, runId];
  if (isAuth) {
    const isOpen = 'answered_at is null and (expires_at is null or expires_at > ?)';
    await tx.run(`${set} where run_id = ? and kind = ? and ${isOpen}`, [...values, interruptKind.auth, nowMs]);
  } else {
    await tx.run(`${set} where run_id = ? and id = ? and answered_at is null`, [...values, interruptId]);
  }
  if (sealedToken !== undefined) {
    await tx.run('update runs set sealed_token = ? where id = ?', [sealedToken, runId]);
  }
}

function interruptFromRow(row: InterruptRow): Interrupt {
  const { id, call_id: callId, kind, message, schema_json: schemaJson, expires_at: expiresAt } = row;
  return {
    ...{ id, callId, kind, message, schemaJson },
    ...(expiresAt === null ? {} : { expireTime: eventTime(expiresAt) }),
    ...(row.approval === null ? {} : { approval: JSON.parse(row.approval) as Approval }),
  };
}
