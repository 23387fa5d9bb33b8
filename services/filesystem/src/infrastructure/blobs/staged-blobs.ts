import type { Clock, IdGenerator } from '@spanwise/kernel';
import { type Database, insertRows, type SqlExecutor } from '@spanwise/persistence';
import type { ReceivedUpload } from '../../domain/upload/received-upload.ts';
import { forEachAtMost } from '../disks/object/at-most.ts';
import { uploadPieces } from '../uploads/upload-rows.ts';
import { blobKeyOf, type OutgoingContent, type OutsideStore } from './outside-store.ts';

/** A store outside of the database, and what staging needs beside it. */
export interface OutsidePlace {
  readonly store: OutsideStore;
  /** Content of fewer bytes stays in the database. */
  readonly threshold: number;
  /** Not one that tells watchers: nothing that they see is changed. */
  readonly database: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'traceId'>;
}

/** Content that no blob has yet. */
export interface NewContent {
  /** SHA-256 in hex. */
  readonly hash: string;
  readonly content: Uint8Array | ReceivedUpload;
}

/** Thrown to leave a transaction that needs content outside of the database which is not there yet. */
class NotStaged extends Error {
  readonly contents: readonly NewContent[];

  constructor(contents: readonly NewContent[]) {
    super('content is not staged');
    this.contents = contents;
  }
}

/** Contents of one change that are stored at the same time. */
const putsAtOnce = 4;

/**
 * What one change has stored outside of the database before the transaction that uses it. A transaction that turns out to need
 * content outside is left, the content is stored, and the transaction is made again: so only content is stored that no blob
 * has and that nothing refuses, no transaction waits for the store, and what is stored serves all further attempts.
 */
export class StagedBlobs {
  readonly #outside: OutsidePlace | undefined;
  readonly #signal: AbortSignal;
  readonly #locations = new Map<string, string>();

  constructor(outside: OutsidePlace | undefined, signal: AbortSignal) {
    this.#outside = outside;
    this.#signal = signal;
  }

  /** Does work that is one transaction, again after what it needs was stored. Throws DISK_UNAVAILABLE. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof NotStaged) || this.#outside === undefined) {
          throw error;
        }
        const outside = this.#outside;
        await forEachAtMost(putsAtOnce, error.contents, (each) => this.#stage(outside, each));
      }
    }
  }

  /** Whether content belongs outside and is not stored there yet. */
  isMissing({ hash, content }: NewContent): boolean {
    return this.#outside !== undefined && sizeOf(content) >= this.#outside.threshold && !this.#locations.has(hash);
  }

  /** Where content was stored by this change; undefined for what belongs into the database. */
  locationOf(hash: string): string | undefined {
    return this.#locations.get(hash);
  }

  /** Leaves the transaction to store content. */
  leaveFor(contents: readonly NewContent[]): never {
    throw new NotStaged(contents);
  }

  /** Takes what was stored for good. Leaves the transaction when it took so long that a sweep has taken it. */
  async claim(tx: SqlExecutor, each: NewContent, location: string): Promise<void> {
    if ((await tx.run('delete from fs_staged_blobs where location = ?', [location])) !== 1) {
      this.#locations.delete(each.hash);
      this.leaveFor([each]);
    }
  }

  async #stage({ store, database, clock, ids }: OutsidePlace, { hash, content }: NewContent): Promise<void> {
    const location = blobKeyOf(hash, ids.traceId());
    // First, so that a sweep finds what is stored, whatever happens.
    await insertRows(database, 'fs_staged_blobs', ['location', 'create_time_ms'], [[location, clock.nowMs()]]);
    const pieces = content instanceof Uint8Array ? one(content) : uploadPieces(database, content);
    const outgoing: OutgoingContent = { size: sizeOf(content), pieces };
    await store.put(location, outgoing, this.#signal);
    this.#locations.set(hash, location);
  }
}

/** Bytes of content. */
export function sizeOf(content: NewContent['content']): number {
  return content instanceof Uint8Array ? content.length : content.size;
}

async function* one(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
