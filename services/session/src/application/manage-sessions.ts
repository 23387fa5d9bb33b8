import { brandId, type Clock, type IdGenerator, type SessionId } from '@spanwise/kernel';
import type { Session } from '../domain/session/session.ts';
import { sessionBusy, sessionNotFound } from '../domain/session/session-errors.ts';
import type { SessionChange, SessionRepository } from '../domain/session/session-repository.ts';
import type { AnnounceCancel } from './announce-cancel.ts';
import { type Page, type PageRequest, readPage } from './paging.ts';
import type { Caller } from './ports/caller.ts';
import type { PageTokens } from './ports/page-tokens.ts';
import { ownSession } from './session-access.ts';

export interface ManageSessionsDeps {
  readonly sessions: SessionRepository;
  readonly announceCancel: AnnounceCancel;
  readonly pageTokens: PageTokens;
  readonly clock: Clock;
  readonly ids: IdGenerator;
}

/** What a session is made with. */
export type NewSession = Pick<Session, 'title' | 'requestId' | 'toolPolicy'>;

/** Makes, reads, changes and deletes sessions of the caller. */
export class ManageSessions {
  readonly #deps: ManageSessionsDeps;

  constructor(deps: ManageSessionsDeps) {
    this.#deps = deps;
  }

  /** The same request_id answers the same session. */
  async create(caller: Caller, { title, requestId, toolPolicy }: NewSession): Promise<Session> {
    const { sessions, ids, clock } = this.#deps;
    const nowMs = clock.nowMs();
    return sessions.create({
      id: brandId<SessionId>(ids.uuid()),
      uid: caller.uid,
      requestId,
      title,
      toolPolicy,
      status: 'IDLE',
      activeRunId: undefined,
      epoch: 0,
      lastSeq: 0,
      firstSeq: 1,
      lastContextSeq: 0,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    });
  }

  /** Throws SESSION_NOT_FOUND. */
  get(caller: Caller, id: SessionId): Promise<Session> {
    return ownSession(this.#deps.sessions, caller, id);
  }

  /** Newest first. Throws INVALID_PAGE_TOKEN. */
  list(caller: Caller, page: PageRequest): Promise<Page<Session>> {
    return readPage(this.#deps.pageTokens, ['sessions', caller.uid], page, {
      read: (after, limit) => {
        const cursor = after && { createdAtMs: Number(after[0]), id: brandId<SessionId>(String(after[1])) };
        return this.#deps.sessions.list(caller.uid, cursor, limit);
      },
      cursorOf: ({ createdAtMs, id }) => [createdAtMs, id],
    });
  }

  /** Throws SESSION_NOT_FOUND. */
  async update(caller: Caller, id: SessionId, change: SessionChange): Promise<Session> {
    const session = await this.#deps.sessions.update(caller.uid, id, change, this.#deps.clock.nowMs());
    if (session === undefined) {
      throw sessionNotFound();
    }
    return session;
  }

  /** Throws SESSION_NOT_FOUND, and SESSION_BUSY while a run is active unless it is to be cancelled with it. */
  async delete(caller: Caller, id: SessionId, cancelsActiveRun: boolean): Promise<void> {
    const { sessions, announceCancel, clock } = this.#deps;
    const result = await sessions.delete(caller.uid, id, cancelsActiveRun, clock.nowMs());
    if (result.kind === 'not-found') {
      throw sessionNotFound();
    }
    if (result.kind === 'busy') {
      throw sessionBusy(result.activeRunId);
    }
    if (result.cancelledRunId !== undefined) {
      announceCancel.execute({ id: result.cancelledRunId, sessionId: id });
    }
  }
}
