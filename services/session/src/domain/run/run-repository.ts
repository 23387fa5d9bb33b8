import type { RunId, SessionId, Uid } from '@spanwise/kernel';
import type { ContextRow } from '../context/llm-context.ts';
import type { AgentEvent, InterruptAnswer } from '../event/agent-event.ts';
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

/** A run that waits in the queue: a row and its input, no events. */
export interface QueuedRun {
  readonly run: Run;
  readonly input: readonly ContextRow[];
}

/** A run that is this process's to drive, and where the log stands. */
export interface StartedRun {
  readonly run: Run;
  /** Owner of the session. */
  readonly uid: Uid;
  readonly lastSeq: number;
  readonly lastContextSeq: number;
}

/** What became of a request for a run. */
export type StartOutcome =
  /** The same request made this run before. */
  | { readonly kind: 'found'; readonly run: Run; readonly lastSeq: number; readonly lastContextSeq: number }
  | { readonly kind: 'started'; readonly started: StartedRun }
  /** It waits for the active run; `cancelled` are those whose cancel was requested for it. */
  | { readonly kind: 'queued'; readonly run: Run; readonly cancelled: RunId | undefined };

/** What to do with a request for a run while one is active. */
export type BusyPolicy = 'reject' | 'enqueue' | 'interrupt' | 'rollback';

/** What identifies a start. */
export interface StartRequest {
  readonly uid: Uid;
  readonly sessionId: SessionId;
  readonly requestId: string;
  readonly fingerprint: string;
  readonly busyPolicy: BusyPolicy;
}

/** How a run begins. Called inside of the transaction, perhaps several times, so without effects. */
export interface StartPlan {
  begin(session: Session): RunBeginning;
  queue(session: Session): QueuedRun;
}

/** Takes a run for a new dispatch. */
export interface Claim {
  /** As it was read: its epoch is the guard. */
  readonly run: Run;
  readonly ownerId: string;
  /** Whether the dispatch before this one was lost. */
  readonly wasLost: boolean;
  readonly nowMs: number;
  /** RUN_ATTEMPT, after INTERRUPT_ANSWERED of what was answered and not told; without effects. */
  announce(claimed: StartedRun, answers: readonly InterruptAnswer[]): readonly AgentEvent[];
}

/** A run that was taken, and what was told with that. */
export interface ClaimedRun extends StartedRun {
  readonly events: readonly AgentEvent[];
  readonly answers: readonly InterruptAnswer[];
}

/** Puts a run to sleep until its interrupts are answered. */
export interface Wait {
  /** RUN_WAITING. */
  readonly append: Append;
  readonly nowMs: number;
}

/** Ends a run: the last append, the run's row and the session's return to IDLE, in one transaction. */
export interface Finish {
  readonly append: Append;
  readonly ending: RunEnding;
  readonly terminalSeq: number;
  readonly nowMs: number;
  /** Takes the messages of the run out of the context. */
  readonly rollsBack: boolean;
  /** Who drives the next run of the queue, which begins in the same transaction; undefined = whoever takes it. */
  readonly nextOwnerId: string | undefined;
  /** How that one begins; without effects. */
  beginNext(queued: QueuedRun, session: Session): RunBeginning;
}

/** The run may not end like this: it was asked meanwhile to roll it back. */
export const rollbackRequested = 'rollback-requested';

export type CancelOutcome =
  /** The flag is set: the run never completes. */
  | 'accepted'
  /** It was waiting in the queue, and is over with that. */
  | 'dequeued'
  | 'already-ended'
  | 'not-found';

/** A run that an instance owns, as its poll reads it. */
export interface OwnedRun {
  readonly runId: RunId;
  readonly epoch: number;
  readonly isCancelRequested: boolean;
}

/** What counts as abandoned. */
export interface AbandonedLook {
  readonly nowMs: number;
  /** After its cancel, and its last claim, a run is taken from an owner whose lease has less than `staleLeaseMs` to run: it seems to be frozen. */
  readonly frozenCancelMs: number;
  readonly staleLeaseMs: number;
  /** After its cancel, and its last claim, a run is taken from any owner. */
  readonly cancelMs: number;
  readonly limit: number;
}

/** Runs, and the transactions that decide about them. Each checks its guards and changes all or nothing. */
export interface RunRepository {
  /**
   * Starts a run in an idle session, and raises the epoch; in a busy one does what the policy says. `rollback` marks the
   * active run in the statement that cancels it, unless it is FINISHING.
   * Throws SESSION_NOT_FOUND, SESSION_BUSY, QUEUE_FULL, REQUEST_ID_REUSED.
   */
  start(request: StartRequest, plan: StartPlan): Promise<StartOutcome>;
  find(sessionId: SessionId, runId: RunId): Promise<Run | undefined>;
  /** Newest first, those with an id less than `before`. */
  list(sessionId: SessionId, before: RunId | undefined, limit: number): Promise<readonly Run[]>;
  /** Sets the cancel flag, for good. Once it is accepted the run never completes. */
  requestCancel(sessionId: SessionId, runId: RunId, reason: string, nowMs: number): Promise<CancelOutcome>;
  /** Somebody watches these runs who wants them to be cancelled when nobody does: by the database's clock, now. */
  attach(runIds: readonly RunId[]): Promise<void>;
  /** Whether nobody has said that of a run for this long. */
  isDetached(runId: RunId, sinceMs: number): Promise<boolean>;
  /** The driven runs of an owner, and those that it took to cancel them while they waited. */
  ownedBy(ownerId: string): Promise<readonly OwnedRun[]>;
  /**
   * Runs to be taken: driven ones without an owner whose lease runs, waiting ones whose time has come, whose cancel was
   * requested or whose interrupts are all answered, and those whose owner does not end them after their cancel. In no
   * order. Guards: cancelMakesWaitingDue, answerMakesWaitingDue.
   */
  abandoned(look: AbandonedLook): Promise<readonly Run[]>;
  /**
   * Takes a run: raises the epoch of its session, makes the claimer its owner and announces the attempt, in one
   * transaction; from then on whoever drove it before is fenced. A waiting run goes on, unless its cancel was requested.
   * Undefined when the run is no longer what was read: somebody else was faster, or it is over, or still waits.
   */
  claim(claim: Claim): Promise<ClaimedRun | undefined>;
  /** Lets go of a run, so that it is taken at once. False when it was not the owner's in this epoch. */
  release(runId: RunId, epoch: number, ownerId: string): Promise<boolean>;
  /** RUNNING → WAITING. False when its cancel was requested or nothing is unanswered. Throws FENCED. */
  wait(wait: Wait): Promise<boolean>;
  /** RUNNING → FINISHING: true decides how the run ends, COMPLETED or FAILED; false means that a cancel came first. */
  beginFinishing(runId: RunId, epoch: number, ending: RunEnding): Promise<boolean>;
  /**
   * Throws FENCED when the run is no longer this epoch's to end. A repeated finish finds its own and is fine. Answers the
   * next run of the queue, which has begun; or, having changed nothing, that the run has to be rolled back.
   */
  finish(finish: Finish): Promise<StartedRun | typeof rollbackRequested | undefined>;
}
