import type { RunId, SessionId } from '@spanwise/kernel';
import type { Changes, Made } from '../../application/ports/changes.ts';
import { answerAgain, assertNotStopped, type Change, type KeptAnswer } from '../../domain/change/change.ts';
import type { FileStore } from '../../domain/disk/file-store.ts';
import { ChangeGate } from './change-gate.ts';

/** Fences and keys of one process; for tests. */
export class InMemoryChanges implements Changes {
  readonly #gate = new ChangeGate();
  readonly #fences = new Map<SessionId, number>();
  readonly #kept = new Map<RunId, Map<string, KeptAnswer>>();

  async find<Answer extends object>(change: Change): Promise<Answer | undefined> {
    const { viewId, sessionId, once } = change;
    assertNotStopped(change, this.#fences.get(sessionId) ?? 0);
    return once && answerAgain<Answer>(once, this.#kept.get(viewId)?.get(once.key));
  }

  make<Answer extends object>(
    change: Change,
    store: FileStore,
    effect: (store: FileStore) => Promise<Answer>,
  ): Promise<Made<Answer>> {
    return this.#gate.run(change, async () => {
      const kept = await this.find<Answer>(change);
      if (kept !== undefined) {
        return { answer: kept, isRepeated: true };
      }
      const answer = await effect(store);
      if (change.once !== undefined) {
        const { key, requestHash } = change.once;
        const ofView = this.#kept.get(change.viewId) ?? new Map<string, KeptAnswer>();
        this.#kept.set(change.viewId, ofView.set(key, { requestHash, answer: JSON.stringify(answer) }));
      }
      return { answer, isRepeated: false };
    });
  }

  async fence(sessionId: SessionId, epoch: number): Promise<void> {
    this.#fences.set(sessionId, Math.max(epoch, this.#fences.get(sessionId) ?? 0));
    await this.#gate.stopped(sessionId, epoch);
  }

  async forget(viewIds: readonly RunId[]): Promise<void> {
    for (const viewId of viewIds) {
      this.#kept.delete(viewId);
    }
  }
}
