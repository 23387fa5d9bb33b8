import type { RunId, SessionId } from '@spanwise/kernel';
import type { ContextRow } from '../context/llm-context.ts';
import type { AgentEvent, EventData } from './agent-event.ts';

/** Names of the kinds of events, as in the proto's oneof. */
export type EventCase = NonNullable<EventData['case']>;

/** Where an appender believes the log to stand. */
export interface AppendPosition {
  readonly sessionId: SessionId;
  readonly runId: RunId;
  /** The appender's epoch. */
  readonly epoch: number;
  /** Seq of the last event that the appender knows of. */
  readonly lastSeq: number;
  readonly lastContextSeq: number;
}

/** What is appended: durable events whose seq begins at lastSeq + 1, and context rows from lastContextSeq + 1. */
export interface Append {
  readonly position: AppendPosition;
  readonly events: readonly AgentEvent[];
  readonly contextRows: readonly ContextRow[];
  /** What the executor made of the run's options; stored with the run. */
  readonly spec?: Uint8Array;
}

export interface EventQuery {
  readonly sessionId: SessionId;
  /** Events with a greater seq. */
  readonly afterSeq: number;
  /** Events up to this seq; default: to the end. */
  readonly untilSeq?: number;
  readonly runId?: RunId;
  /** Only these kinds; default: all. */
  readonly cases?: readonly EventCase[];
  readonly limit: number;
}

export interface LogBounds {
  /** Seq of the oldest event that is kept; raised before anything is thrown away. */
  readonly firstSeq: number;
  /** Seq of the last event; less than `firstSeq` when there is none. */
  readonly lastSeq: number;
}

/**
 * The log of a session: a contiguous sequence that only grows. Within an epoch one process appends, one append at a time;
 * every append is guarded by the epoch, the active run and the last seq.
 */
export interface EventLog {
  /**
   * Appends all or nothing. When it is not known whether an append was committed, the same append is made again: it finds
   * out by the append's own mark and never appends twice. Throws FENCED when the epoch has moved on or the run is no
   * longer active, DATABASE_UNAVAILABLE when the database does not answer.
   */
  append(append: Append): Promise<void>;
  /** Events in order of seq. */
  read(query: EventQuery): Promise<readonly AgentEvent[]>;
  /** Where the log of a session begins and ends, also of a deleted one. Undefined when there is none. */
  bounds(sessionId: SessionId): Promise<LogBounds | undefined>;
}
