import type { SessionId } from '@spanwise/kernel';
import type { Execution, ExecutionKey, ExecutionStart, Settlement, StartVerdict } from './execution.ts';

/**
 * What was executed, and down to which epoch each session is open. The fence of a session is the lowest epoch that may
 * still begin something; it only rises. Every method may throw DATABASE_UNAVAILABLE: what it does may then be done
 * nevertheless, and it may be called again.
 */
export interface Ledger {
  /** Throws FENCED when the epoch is below the session's fence. */
  assertOpen(sessionId: SessionId, epoch: number): Promise<void>;
  /**
   * Begins an execution, or says why not: fence, verdict and row are one transaction, so that of all who try one begins. The
   * line of the audit of an attempt that asks instead, and of a lost one that it finds, is part of it.
   * Throws FENCED, CALL_REUSED, INVALID_FIELD; DATABASE_UNAVAILABLE also when the lease of the instance has run out.
   */
  begin(start: ExecutionStart): Promise<StartVerdict>;
  /**
   * Writes down how an attempt ended, and its line of the audit with it. False when its row is not STARTED by it any more: its
   * instance was taken for dead, or the session was deleted.
   */
  settle(start: ExecutionStart, settlement: Settlement): Promise<boolean>;
  /** Takes an attempt back whose tool was never called: the call stands as it did before, or as UNKNOWN if it was begun. */
  withdraw(start: ExecutionStart): Promise<void>;
  find(key: ExecutionKey): Promise<Execution | undefined>;
  /** Makes an execution UNKNOWN whose instance is dead, with its line of the audit; does nothing when it is not STARTED by that attempt any more. */
  lose(execution: Execution): Promise<void>;
  /** The executions of a session that are STARTED, in the order of their calls. */
  started(sessionId: SessionId): Promise<readonly Execution[]>;
  /** Raises the fence unless it is as high. When it resolves nobody begins anything below it any more. */
  raiseFence(sessionId: SessionId, fence: number): Promise<void>;
  /**
   * Forgets the executions of a session, and shuts it for good. Their lines of the audit stay; what has not ended gets one.
   */
  deleteSession(sessionId: SessionId): Promise<void>;
}

/** The fence of a session whose data was deleted: no epoch is as high. */
export const deletedFence: number = Number.MAX_SAFE_INTEGER;

/** The highest epoch: the fence that stops it is still below that of a deleted session. */
export const highestEpoch: number = deletedFence - 2;
