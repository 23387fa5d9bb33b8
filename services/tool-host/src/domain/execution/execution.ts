import { type CallId, invariantBroken, type RunId, type SessionId, unreachable } from '@spanwise/kernel';
import type { Interrupt, ToolEffect } from '@spanwise/tool-kit/contract';
import type { AuditFacts } from '../audit/audit-entry.ts';
import type { CallEnd } from '../tool/tool-call.ts';
import { callReused, interruptMismatch } from './execution-errors.ts';
import type { GivenApproval } from './given-approval.ts';

/**
 * Where an execution stands: it goes on, or its instance died and nobody has judged it yet (STARTED); it waits for an
 * interrupt; it has a result; or it was begun and whoever executed it is gone (UNKNOWN).
 */
export type ExecutionState = 'STARTED' | 'SUSPENDED' | 'DONE' | 'UNKNOWN';

/** A call: unique in its run. */
export interface ExecutionKey {
  readonly runId: RunId;
  readonly callId: CallId;
}

/** An attempt to execute a call. */
export interface ExecutionStart extends ExecutionKey {
  readonly sessionId: SessionId;
  /** The process that will execute it. */
  readonly instanceId: string;
  /** UUID of this attempt: tells its row from that of any other, also after a commit whose answer was lost. */
  readonly mark: string;
  readonly epoch: number;
  readonly tool: string;
  /** A READ_ONLY call has a row only from when it asks the user to sign in. */
  readonly effect: ToolEffect;
  /** Digest of tool and arguments. */
  readonly argsHash: string;
  /** The interrupt that the attempt brings an answer for. */
  readonly answeredInterruptId: string | undefined;
  /** What the attempt asks for instead of beginning: the row is then SUSPENDED at once. */
  readonly asks?: Interrupt | undefined;
  /** By which it may begin; undefined when it needs none, or has it from an attempt before. */
  readonly approval?: GivenApproval | undefined;
  /** For the line of the audit. */
  readonly audit: AuditFacts;
}

/** A row of the ledger. */
export interface Execution extends Omit<ExecutionStart, 'answeredInterruptId' | 'asks' | 'audit'> {
  /** Undefined for one that was begun before there was an audit. */
  readonly audit: AuditFacts | undefined;
  readonly state: ExecutionState;
  /** What it waits for, or waited for. */
  readonly interrupt: Interrupt | undefined;
  /** How it ended; with UNKNOWN what was told, if anything. */
  readonly end: CallEnd | undefined;
  /** True while the lease of its instance runs. */
  readonly isAlive: boolean;
}

/** How an attempt leaves the ledger. */
export type Settlement =
  | { readonly state: 'DONE'; readonly end: CallEnd }
  | { readonly state: 'SUSPENDED'; readonly interrupt: Interrupt }
  | { readonly state: 'UNKNOWN'; readonly end: CallEnd };

/** What the ledger says to an attempt. */
export type StartVerdict =
  /** It begins, or had begun: the row is STARTED and its own, or SUSPENDED by what it asks. Nobody else executes the call. */
  | { readonly type: 'begin' }
  /** Another attempt goes on. */
  | { readonly type: 'running' }
  | { readonly type: 'ended'; readonly end: CallEnd }
  | { readonly type: 'suspended'; readonly interrupt: Interrupt }
  /** It may have been executed, and must not be again. */
  | { readonly type: 'unknown' };

/**
 * Judges an attempt by what the ledger has of its call. Throws CALL_REUSED when that is another call, INVALID_FIELD when
 * the attempt answers another interrupt than the one that the call waits for.
 */
export function judgeStart(start: ExecutionStart, found: Execution | undefined): StartVerdict {
  if (found === undefined || isOwnStart(start, found)) {
    return { type: 'begin' };
  }
  if (found.sessionId !== start.sessionId || found.argsHash !== start.argsHash) {
    throw callReused(start.callId);
  }
  switch (found.state) {
    case 'DONE':
      return ended(found);
    case 'SUSPENDED':
      return waiting(start, found);
    case 'STARTED':
      return found.isAlive ? { type: 'running' } : afterCrash(start, found);
    case 'UNKNOWN':
      return afterCrash(start, found);
    default:
      return unreachable(found.state);
  }
}

/** True when the row is that of the attempt itself: its commit was not answered. */
export function isOwnStart(start: ExecutionStart, found: Execution): boolean {
  const isAsked = start.asks !== undefined && found.state === 'SUSPENDED';
  return found.mark === start.mark && (found.state === 'STARTED' || isAsked);
}

function ended({ end }: Execution): StartVerdict {
  if (end === undefined) {
    throw invariantBroken('an execution is done without a result');
  }
  return { type: 'ended', end };
}

function waiting({ answeredInterruptId }: ExecutionStart, { interrupt }: Execution): StartVerdict {
  if (interrupt === undefined) {
    throw invariantBroken('an execution is suspended without an interrupt');
  }
  if (answeredInterruptId === undefined) {
    return { type: 'suspended', interrupt };
  }
  if (answeredInterruptId !== interrupt.id) {
    throw interruptMismatch(interrupt.id);
  }
  return { type: 'begin' };
}

function afterCrash(start: ExecutionStart, found: Execution): StartVerdict {
  if (found.effect === 'NON_REPEATABLE') {
    return { type: 'unknown' };
  }
  return found.interrupt === undefined ? { type: 'begin' } : waiting(start, found);
}
