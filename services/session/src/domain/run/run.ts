import type { ExecSpanContext, RunId, SessionId } from '@spanwise/kernel';
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

/** Statuses of a run that is not over. */
export const unfinishedStatuses: readonly RunStatus[] = (Object.keys(runTransitions) as RunStatus[]).filter(
  (status) => !isOver(status),
);

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
}

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
  readonly attempt: number;
  readonly options: RunOptions;
  /** Its root span. */
  readonly span: ExecSpanContext;
  /** Seq of RUN_START. */
  readonly startSeq: number;
  /** Seq of its terminal event; 0 while it is not over. */
  readonly terminalSeq: number;
  readonly deadlineAtMs: number | undefined;
  readonly cancelRequestedAtMs: number | undefined;
  readonly cancelReason: string;
  readonly ending: RunEnding | undefined;
  readonly createdAtMs: number;
  readonly endedAtMs: number | undefined;
}

/** How a run ended. */
export type RunEnding =
  | {
      readonly status: 'COMPLETED' | 'CANCELLED';
      readonly finishReason: number;
      readonly usage: TokenUsage | undefined;
    }
  | { readonly status: 'FAILED'; readonly error: AgentError; readonly usage: TokenUsage | undefined };
