import type { RunId, SessionId } from '@spanwise/kernel';
import type { SessionView } from './session-view.ts';

/**
 * Keeps views, so that every replica knows them. Views never change until they are deleted. Methods throw DATABASE_UNAVAILABLE.
 */
export interface ViewRepository {
  find(id: string): Promise<SessionView | undefined>;

  /**
   * Keeps a view unless its id is taken; answers the one that is kept. Throws FENCED after the data of its session was
   * deleted.
   */
  addIfAbsent(view: SessionView): Promise<SessionView>;

  /** The views of a session. */
  ofSession(sessionId: SessionId): Promise<readonly SessionView[]>;

  /** Deletes views; fine for those that are not there. Other replicas may know them for a while. */
  delete(ids: readonly RunId[]): Promise<void>;
}
