import type { RunId, SessionId, Uid } from '@spanwise/kernel';
import type { Session } from './session.ts';

/** A place in the list of sessions, newest first. */
export interface SessionCursor {
  readonly createdAtMs: number;
  readonly id: SessionId;
}

/** Sessions by owner. A session of someone else, or a deleted one, is not found. */
export interface SessionRepository {
  /** Stores a new session. With a request id that its owner used before it answers the session made then. */
  create(session: Session): Promise<Session>;
  find(uid: Uid, id: SessionId): Promise<Session | undefined>;
  /** The owner's sessions, newest first, those after `after`. */
  list(uid: Uid, after: SessionCursor | undefined, limit: number): Promise<readonly Session[]>;
  /** Answers the session after the change; undefined when it is not found. */
  update(uid: Uid, id: SessionId, change: SessionChange, nowMs: number): Promise<Session | undefined>;
  /**
   * Deletes a session: at once when it is idle, and with `cancelsActiveRun` also while a run is active, whose cancel is
   * then requested in the same transaction. Answers what it did: `busy` changes nothing.
   */
  delete(uid: Uid, id: SessionId, cancelsActiveRun: boolean, nowMs: number): Promise<DeleteResult>;
}

/** What of a session its owner may change; what is left out stays. */
export type SessionChange = Partial<Pick<Session, 'title' | 'toolPolicy'>>;

export type DeleteResult =
  | { readonly kind: 'deleted'; readonly cancelledRunId: RunId | undefined }
  | { readonly kind: 'busy'; readonly activeRunId: RunId }
  | { readonly kind: 'not-found' };
