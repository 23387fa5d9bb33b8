import type { RunId, SessionId } from '@spanwise/kernel';
import type { SessionView } from '../../domain/view/session-view.ts';
import type { ViewRepository } from '../../domain/view/view-repository.ts';

/** Views of one process; for tests. */
export class InMemoryViewRepository implements ViewRepository {
  readonly #views = new Map<string, SessionView>();

  async find(id: string): Promise<SessionView | undefined> {
    return this.#views.get(id);
  }

  async addIfAbsent(view: SessionView): Promise<SessionView> {
    const kept = this.#views.get(view.id) ?? view;
    this.#views.set(kept.id, kept);
    return kept;
  }

  async ofSession(sessionId: SessionId): Promise<readonly SessionView[]> {
    return [...this.#views.values()].filter((view) => view.sessionId === sessionId);
  }

  async delete(ids: readonly RunId[]): Promise<void> {
    for (const id of ids) {
      this.#views.delete(id);
    }
  }
}
