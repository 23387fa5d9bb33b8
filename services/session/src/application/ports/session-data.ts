import type { SessionId, Uid } from '@spanwise/kernel';

/** What other services keep of a session. */
export interface SessionData {
  /** Deletes it for good. Throws SERVICE_UNAVAILABLE when one of them does not answer; then it is asked again. */
  delete(sessionId: SessionId, uid: Uid, signal: AbortSignal): Promise<void>;
}
