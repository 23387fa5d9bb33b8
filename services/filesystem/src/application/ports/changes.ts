import type { RunId, SessionId } from '@spanwise/kernel';
import type { Change } from '../../domain/change/change.ts';
import type { FileStore } from '../../domain/disk/file-store.ts';

/** What came of a change. */
export interface Made<Answer> {
  readonly answer: Answer;
  /** True when the answer is that of an earlier call, and nothing was changed by this one. */
  readonly isRepeated: boolean;
}

/**
 * Makes changes of disks, unless their session is fenced, and those with a key once only. Answers are kept as JSON.
 * Every method may throw DATABASE_UNAVAILABLE.
 */
export interface Changes {
  /** The answer that the change had when it was made; undefined without a key. Throws as `make` does. */
  find<Answer extends object>(change: Change): Promise<Answer | undefined>;

  /**
   * Makes a change with one effect, on the store that the effect is given. On an atomic disk fence, key, effect and answer
   * are one transaction, and the effect may be started again. Elsewhere the answer is kept right after the effect.
   * Throws what the effect throws, FENCED, IDEMPOTENCY_KEY_REUSED, or VIEW_NOT_FOUND after the session's data was deleted.
   */
  make<Answer extends object>(
    change: Change,
    store: FileStore,
    effect: (store: FileStore) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Made<Answer>>;

  /**
   * Raises the fence of a session; it never falls. From now on only a dispatch of `driver` or a later one ends its runs. When it resolves no change of a lower epoch is made any more: on atomic
   * disks by any replica, on others by this one. Throws DISK_UNAVAILABLE when one goes on for more than 5 s.
   */
  fence(sessionId: SessionId, epoch: number, driver: number): Promise<void>;

  /** Forgets the answers of views. */
  forget(viewIds: readonly RunId[]): Promise<void>;
}
