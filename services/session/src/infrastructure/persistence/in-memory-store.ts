import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import type { StoredMessage } from '../../domain/context/llm-context.ts';
import type { AgentEvent } from '../../domain/event/agent-event.ts';
import { fenced } from '../../domain/event/event-errors.ts';
import type { Append } from '../../domain/event/event-log.ts';
import type { Run } from '../../domain/run/run.ts';
import type { Session } from '../../domain/session/session.ts';

export interface SessionEntry {
  session: Session;
  isDeleted: boolean;
  lastAppend: Append | undefined;
  readonly events: AgentEvent[];
  readonly context: StoredMessage[];
}

/** What the in-memory repositories share: the tables, and the guarded append. For tests; nothing survives the process. */
export class InMemoryStore {
  readonly sessions = new Map<SessionId, SessionEntry>();
  readonly runs = new Map<RunId, Run>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Appends under the guards of the log; `also` changes what belongs to the same transaction, and may throw. */
  append(append: Append, also: (entry: SessionEntry) => void = () => undefined): void {
    const { sessionId, runId, epoch, lastSeq } = append.position;
    const entry = this.sessions.get(sessionId);
    if (entry !== undefined && entry.lastAppend === append) {
      return;
    }
    const { session } = entry ?? {};
    if (
      entry === undefined ||
      session?.activeRunId !== runId ||
      session.epoch !== epoch ||
      session.lastSeq !== lastSeq
    ) {
      throw fenced();
    }
    also(entry);
    this.place(entry, append);
    entry.lastAppend = append;
  }

  /** Stores the rows of an append whose guards hold. */
  place(entry: SessionEntry, { events, contextRows }: Append): void {
    const nowMs = this.#clock.nowMs();
    const { lastContextSeq, lastSeq } = entry.session;
    entry.events.push(...events);
    entry.context.push(
      ...contextRows.map((row, index) => ({ ...row, seq: lastContextSeq + index + 1, createdAtMs: nowMs })),
    );
    entry.session = {
      ...entry.session,
      lastSeq: lastSeq + events.length,
      lastContextSeq: lastContextSeq + contextRows.length,
      updatedAtMs: nowMs,
    };
  }
}
