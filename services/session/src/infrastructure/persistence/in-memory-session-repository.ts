import type { SessionId, Uid } from '@spanwise/kernel';
import { cancellableStatuses } from '../../domain/run/run.ts';
import type { Session } from '../../domain/session/session.ts';
import type {
  DeleteResult,
  SessionChange,
  SessionCursor,
  SessionRepository,
} from '../../domain/session/session-repository.ts';
import type { InMemoryStore, SessionEntry } from './in-memory-store.ts';

export class InMemorySessionRepository implements SessionRepository {
  readonly #store: InMemoryStore;

  constructor(store: InMemoryStore) {
    this.#store = store;
  }

  async create(session: Session): Promise<Session> {
    const { sessions } = this.#store;
    const { uid, requestId } = session;
    const made = [...sessions.values()].find(
      (each) => each.session.uid === uid && each.session.requestId === requestId,
    );
    if (requestId !== '' && made !== undefined) {
      return made.session;
    }
    const tables = { events: [], context: [], superseded: new Set<number>(), queue: [] };
    sessions.set(session.id, { session, isDeleted: false, lastAppend: undefined, ...tables });
    return session;
  }

  async find(uid: Uid, id: SessionId): Promise<Session | undefined> {
    return this.#entry(uid, id)?.session;
  }

  async list(uid: Uid, after: SessionCursor | undefined, limit: number): Promise<readonly Session[]> {
    return [...this.#store.sessions.values()]
      .filter((entry) => !entry.isDeleted && entry.session.uid === uid)
      .map(({ session }) => session)
      .sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))
      .filter((session) => after === undefined || isOlder(session, after))
      .slice(0, limit);
  }

  async update(uid: Uid, id: SessionId, change: SessionChange, nowMs: number): Promise<Session | undefined> {
    const entry = this.#entry(uid, id);
    if (entry !== undefined) {
      entry.session = { ...entry.session, ...change, updatedAtMs: nowMs };
    }
    return entry?.session;
  }

  async delete(uid: Uid, id: SessionId, cancelsActiveRun: boolean, nowMs: number): Promise<DeleteResult> {
    const entry = this.#entry(uid, id);
    if (entry === undefined) {
      return { kind: 'not-found' };
    }
    const { activeRunId } = entry.session;
    if (activeRunId !== undefined && !cancelsActiveRun) {
      return { kind: 'busy', activeRunId };
    }
    entry.isDeleted = true;
    const run = activeRunId && this.#store.runs.get(activeRunId);
    if (run && cancellableStatuses.includes(run.status)) {
      const cancelRequestedAtMs = run.cancelRequestedAtMs ?? nowMs;
      this.#store.runs.set(run.id, { ...run, cancelRequestedAtMs, cancelReason: 'the session was deleted' });
    }
    this.#store.cancelQueue(entry, 'the session was deleted', nowMs);
    return { kind: 'deleted', cancelledRunId: activeRunId };
  }

  #entry(uid: Uid, id: SessionId): SessionEntry | undefined {
    const entry = this.#store.sessions.get(id);
    return entry === undefined || entry.isDeleted || entry.session.uid !== uid ? undefined : entry;
  }
}

function isOlder({ createdAtMs, id }: Session, than: SessionCursor): boolean {
  return createdAtMs < than.createdAtMs || (createdAtMs === than.createdAtMs && id < than.id);
}
