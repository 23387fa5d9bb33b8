import type { SessionView } from './session-view.ts';

/**
 * Keeps views, so that every replica knows them. Views never change. Methods throw DATABASE_UNAVAILABLE.
 */
export interface ViewRepository {
  find(id: string): Promise<SessionView | undefined>;

  /** Keeps a view unless its id is taken; answers the one that is kept. */
  addIfAbsent(view: SessionView): Promise<SessionView>;
}
