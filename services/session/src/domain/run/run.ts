import type { ExecSpanContext, RunId, SessionId } from '@spanwise/kernel';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import type { AgentError, TokenUsage } from '../event/agent-event.ts';
import { statusesBefore } from '../session/session.ts';

export type RunStatus = 'QUEUED' | 'RUNNING' | 'WAITING' | 'FINISHING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** Where a run may go from where. No other transition exists; each is a compare-and-set whose row count is checked. */
export const runTransitions: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  QUEUED: ['RUNNING', 'CANCELLED'],
  RUNNING: ['WAITING', 'FINISHING', 'CANCELLED', 'FAILED'],
  WAITING: ['RUNNING', 'CANCELLED', 'FAILED'],
  FINISHING: ['COMPLETED', 'FAILED'],
  COMPLETED: [],
  CANCELLED: [],
  FAILED: [],
};

/** Whether a run is over. */
export function isOver(status: RunStatus): boolean {
  return runTransitions[status].length === 0;
}

/** Statuses of a run that somebody has to work on: one without a living owner is taken over. */
export const drivenStatuses: readonly RunStatus[] = ['RUNNING', 'FINISHING'];

/** Statuses in which a cancel is accepted. */
export const cancellableStatuses: readonly RunStatus[] = ['QUEUED', 'RUNNING', 'WAITING'];

/** Statuses from which a run may go to `target`. */
export function runStatusesBefore(target: RunStatus): readonly RunStatus[] {
  return statusesBefore(runTransitions, target);
}

/** How a run is to be done. What is undefined or empty comes from the agent's configuration. */
export interface RunOptions {
  readonly agent: string;
  readonly model: string;
  /** 0 = as the agent says. */
  readonly maxTurns: number;
  readonly toolsAllow: readonly string[];
  readonly toolsDeny: readonly string[];
  readonly timeoutMs: number | undefined;
  /** Whether somebody is there to answer questions. */
  readonly interactive: boolean;
  /** What becomes of the files of a run that is cancelled or fails: they are published, or dropped. */
  readonly onCancel: 'keep' | 'drop';
  /** Rules for calls of tools: those of the request, and those that its session had when it was made. */
  readonly toolPolicy: ToolPolicy;
}

/** Runs that may wait in the queue of one session. */
export const maxQueued = 16;

/**
 * Attempts in a row that were lost without getting anywhere, and attempts in all, after which a run is given up. The second
 * is far away, for a run may ask its user, or be handed over, as often as it needs to.
 */
const maxLostAttempts = 5;
const maxAttempts = 200;
/** From the second lost attempt on the next one waits, up to this long; twice as long after each further one. */
const firstLossPauseMs = 1000;

/** One answer to one input. */
export interface Run {
  readonly id: RunId;
  readonly sessionId: SessionId;
  readonly requestId: string;
  /** Digest of input and options: tells a repeated request from another one with the same id. */
  readonly fingerprint: string;
  readonly status: RunStatus;
  /** Instance that drives it; undefined when none does. */
  readonly ownerId: string | undefined;
  /** Epoch of its current dispatch. */
  readonly epoch: number;
  /** Its dispatches so far; 0 while it is queued. */
  readonly attempt: number;
  /** Dispatches in a row that were lost before they had added to the context. */
  readonly lostAttempts: number;
  readonly options: RunOptions;
  /** What the executor made of the options in the first dispatch, for the later ones; opaque. */
  readonly spec: Uint8Array | undefined;
  /** The user's address, for dispatches that no request of the user makes; empty when not known. */
  readonly email: string;
  /** The user's token for the same, sealed; empty when it is not kept, and once the run is over. */
  readonly sealedToken: string;
  /** Its root span. */
  readonly span: ExecSpanContext;
  /** Seq of RUN_START; 0 while it is queued. */
  readonly startSeq: number;
  /** Seq of its terminal event; 0 while it is not over. */
  readonly terminalSeq: number;
  readonly deadlineAtMs: number | undefined;
  /** What was left until the deadline when it began to wait. */
  readonly remainingMs: number | undefined;
  /** When it goes on without an answer, while it waits. */
  readonly wakeAtMs: number | undefined;
  readonly cancelRequestedAtMs: number | undefined;
  readonly cancelReason: string;
  /** Whether what it did to files and context is to be taken back; set only together with the cancel flag. */
  readonly rollsBack: boolean;
  readonly ending: RunEnding | undefined;
  readonly createdAtMs: number;
  readonly endedAtMs: number | undefined;
}

/** Something that was going on when a run was cancelled, and how it came to its end. */
export interface StoppedSpan {
  readonly id: string;
  readonly par: string;
  /** Number of spanwise.event.v1.SpanKind. */
  readonly kind: number;
  readonly name: string;
  readonly outcome: StopOutcome;
}

/** `unstoppable`: nobody could confirm in time that it stopped, but what it does can no longer change anything. */
export type StopOutcome = 'stopped' | 'finished' | 'unstoppable';

/** How a run ended, or, while it is FINISHING, is about to. */
export type RunEnding =
  | {
      readonly status: 'COMPLETED' | 'CANCELLED';
      readonly finishReason: number;
      readonly usage: TokenUsage | undefined;
      /** Of a cancelled run: what was going on. */
      readonly receipt?: readonly StoppedSpan[];
    }
  | {
      readonly status: 'FAILED';
      readonly error: AgentError;
      readonly usage: TokenUsage | undefined;
      readonly receipt?: readonly StoppedSpan[];
    };

/**
 * How long the next dispatch waits at most, in milliseconds. A run that takes whole processes with it takes the others there
 * too: that each waits for a random part of this brings those away from it that did nothing.
 */
export function pauseAfterLosses({ lostAttempts }: Pick<Run, 'lostAttempts'>): number {
  return lostAttempts < 2 ? 0 : firstLossPauseMs * 2 ** (lostAttempts - 2);
}

/** Whether a run has lost so many dispatches that another one would most likely be lost as well. */
export function isPoisoned({ attempt, lostAttempts }: Pick<Run, 'attempt' | 'lostAttempts'>): boolean {
  return lostAttempts >= maxLostAttempts || attempt >= maxAttempts;
}
