import type { SessionId, Uid } from '@spanwise/kernel';

/** How much of the logs is kept. */
export interface RetentionPolicy {
  /** Newest events of a session that are kept; undefined = all. */
  readonly maxEvents: number | undefined;
  /** How long the events of a run are kept after its end; undefined = for ever. */
  readonly maxAgeMs: number | undefined;
}

/** What of a session's log may go: all up to a seq, which is the end of a run. */
export interface TrimmableSession {
  readonly id: SessionId;
  /** Undefined when all of it is kept. */
  readonly untilSeq: number | undefined;
}

export interface DeletedSession {
  readonly id: SessionId;
  readonly uid: Uid;
}

/** What is thrown away for good. */
export interface RetentionRepository {
  /** A page of the sessions that have events, by id, those after `after`. */
  trimmable(
    policy: RetentionPolicy,
    nowMs: number,
    after: SessionId | undefined,
    limit: number,
  ): Promise<readonly TrimmableSession[]>;
  /**
   * Throws a prefix of the log away. From the first step on readers are told that the log begins later. Answers how many
   * events are gone.
   */
  trim(id: SessionId, untilSeq: number): Promise<number>;
  /** Sessions that were deleted before a time and whose last run is over. */
  purgeable(deletedBeforeMs: number, limit: number): Promise<readonly DeletedSession[]>;
  /** Removes everything of a deleted session. */
  purge(id: SessionId): Promise<void>;
}
