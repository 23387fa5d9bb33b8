import type { RunId, SessionId, Uid } from '@spanwise/kernel';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';

export type SessionStatus = 'IDLE' | 'RUNNING' | 'WAITING';

/** Where a session may go from where. No other transition exists; each is a compare-and-set whose row count is checked. */
export const sessionTransitions: Readonly<Record<SessionStatus, readonly SessionStatus[]>> = {
  IDLE: ['RUNNING'],
  RUNNING: ['WAITING', 'IDLE'],
  WAITING: ['RUNNING', 'IDLE'],
};

/** A conversation that one user owns. */
export interface Session {
  readonly id: SessionId;
  readonly uid: Uid;
  /** Empty when the caller gave none. */
  readonly requestId: string;
  readonly title: string;
  /** Rules for calls of tools in all its runs. */
  readonly toolPolicy: ToolPolicy;
  readonly status: SessionStatus;
  readonly activeRunId: RunId | undefined;
  /** Fencing number: raised at every dispatch and take-over. */
  readonly epoch: number;
  readonly lastSeq: number;
  /** Seq of the oldest event that is kept. */
  readonly firstSeq: number;
  readonly lastContextSeq: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** Statuses from which a session may go to `target`. */
export function sessionStatusesBefore(target: SessionStatus): readonly SessionStatus[] {
  return statusesBefore(sessionTransitions, target);
}

/** Statuses from which a table of transitions leads to `target`. */
export function statusesBefore<Status extends string>(
  transitions: Readonly<Record<Status, readonly Status[]>>,
  target: Status,
): readonly Status[] {
  return (Object.keys(transitions) as Status[]).filter((status) => transitions[status].includes(target));
}
