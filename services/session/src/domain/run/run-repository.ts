import type { RunId, SessionId, Uid } from '@spanwise/kernel';
import type { ContextRow } from '../context/llm-context.ts';
import type { AgentEvent } from '../event/agent-event.ts';
import type { Append } from '../event/event-log.ts';
import type { Session } from '../session/session.ts';
import type { Run, RunEnding } from './run.ts';

/** What a run begins with, once the session's counters are known. */
export interface RunBeginning {
  readonly run: Run;
  /** Durable events from session.lastSeq + 1, RUN_START first. */
  readonly events: readonly AgentEvent[];
  readonly contextRows: readonly ContextRow[];
}

/** A run that was started, or the one that the same request started before. */
export interface StartedRun {
  readonly run: Run;
  readonly isNew: boolean;
  /** Where the log stands after the start. Meaningful only for a new run. */
  readonly lastSeq: number;
  readonly lastContextSeq: number;
}

/** What identifies a start. */
export interface StartRequest {
  readonly uid: Uid;
  readonly sessionId: SessionId;
  readonly requestId: string;
  readonly fingerprint: string;
}

/** Ends a run: the last append, the run's row and the session's return to IDLE, in one transaction. */
export interface Finish {
  readonly append: Append;
  readonly ending: RunEnding;
  readonly terminalSeq: number;
  readonly nowMs: number;
}

export type CancelOutcome = 'accepted' | 'already-ended' | 'not-found';

/** Runs, and the transactions that decide about them. Each checks its guards and changes all or nothing. */
export interface RunRepository {
  /**
   * Starts a run in an idle session: `begin` is called with the session as it is inside of the transaction (perhaps
   * several times, so it has no effects) and tells run, first events and context. Raises the epoch.
   * Throws SESSION_NOT_FOUND, SESSION_BUSY, REQUEST_ID_REUSED.
   */
  start(request: StartRequest, begin: (session: Session) => RunBeginning): Promise<StartedRun>;
  find(sessionId: SessionId, runId: RunId): Promise<Run | undefined>;
  /** Newest first, those with an id less than `before`. */
  list(sessionId: SessionId, before: RunId | undefined, limit: number): Promise<readonly Run[]>;
  /** Sets the cancel flag, for good. Once it is accepted the run never completes. */
  requestCancel(sessionId: SessionId, runId: RunId, reason: string, nowMs: number): Promise<CancelOutcome>;
  /** Those of the owner's running runs whose cancel was requested. */
  cancelRequested(ownerId: string): Promise<readonly RunId[]>;
  /** All runs that are not over. */
  unfinished(): Promise<readonly Run[]>;
  /**
   * Takes a run over: raises the epoch of its session and makes `ownerId` its owner. From then on whoever drove it before
   * is fenced. Undefined when the run is no longer what was read: somebody else was faster, or it has ended.
   */
  claim(run: Run, ownerId: string): Promise<StartedRun | undefined>;
  /** RUNNING → FINISHING: true decides that the run completes; false means that a cancel came first. */
  beginFinishing(runId: RunId, epoch: number): Promise<boolean>;
  /** Throws FENCED when the run is no longer this epoch's to end. A repeated finish finds its own and is fine. */
  finish(finish: Finish): Promise<void>;
}
