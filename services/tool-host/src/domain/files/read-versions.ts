import type { SessionId, Uid } from '@spanwise/kernel';
import type { SessionReads } from '@spanwise/tool-kit/contract';

/** Files that are remembered; one is well under a kilobyte. */
const defaultCapacity = 20_000;

/**
 * What all sessions have read, in memory: the least recently used is forgotten first. It is a hint, not a record: when it
 * is lost the model is asked to read again, and races are decided by the etag that goes with the write.
 */
export class ReadVersions {
  readonly #capacity: number;
  readonly #etags = new Map<string, string>();

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  of(uid: Uid, sessionId: SessionId): SessionReads {
    const keyOf = (path: string) => JSON.stringify([uid, sessionId, path]);
    return {
      etagOf: (path) => {
        const etag = this.#etags.get(keyOf(path));
        return etag === undefined ? undefined : this.#touch(keyOf(path), etag);
      },
      remember: (path, etag) => {
        this.#touch(keyOf(path), etag);
        const [oldest] = this.#etags.size > this.#capacity ? this.#etags.keys() : [];
        if (oldest !== undefined) {
          this.#etags.delete(oldest);
        }
      },
      forget: (path) => {
        this.#etags.delete(keyOf(path));
      },
    };
  }

  /** A map keeps the order of insertion: the last one is the most recently used. */
  #touch(key: string, etag: string): string {
    this.#etags.delete(key);
    this.#etags.set(key, etag);
    return etag;
  }
}
