import { brandId, type CallId, type RunId, type SessionId } from '@spanwise/kernel';
import type { SqlRow } from '@spanwise/persistence';
import type { Interrupt, ToolEffect } from '@spanwise/tool-kit/contract';
import type { AuditFacts } from '../../domain/audit/audit-entry.ts';
import type { Execution, ExecutionStart, ExecutionState, Settlement } from '../../domain/execution/execution.ts';
import type { GivenApproval } from '../../domain/execution/given-approval.ts';
import type { CallEnd } from '../../domain/tool/tool-call.ts';

/** A row of `executions`, and whether the lease of its instance runs. */
export interface ExecutionRow extends SqlRow {
  readonly run_id: string;
  readonly call_id: string;
  readonly session_id: string;
  readonly instance_id: string;
  readonly mark: string;
  readonly epoch: number;
  readonly tool: string;
  readonly effect: string;
  readonly args_hash: string;
  readonly state: string;
  /** JSON of an Interrupt. */
  readonly interrupt: string | null;
  /** JSON of a CallEnd. */
  readonly result: string | null;
  /** JSON of a GivenApproval. */
  readonly approval: string | null;
  /** JSON of AuditFacts. */
  readonly audit: string | null;
  readonly is_alive: number;
}

export function toExecution(row: ExecutionRow): Execution {
  return {
    runId: brandId<RunId>(row.run_id),
    callId: brandId<CallId>(row.call_id),
    sessionId: brandId<SessionId>(row.session_id),
    instanceId: row.instance_id,
    mark: row.mark,
    epoch: row.epoch,
    tool: row.tool,
    effect: row.effect as ToolEffect,
    argsHash: row.args_hash,
    state: row.state as ExecutionState,
    interrupt: row.interrupt === null ? undefined : (JSON.parse(row.interrupt) as Interrupt),
    end: row.result === null ? undefined : toCallEnd(JSON.parse(row.result) as CallEnd),
    approval: row.approval === null ? undefined : (JSON.parse(row.approval) as GivenApproval),
    audit: row.audit === null ? undefined : (JSON.parse(row.audit) as AuditFacts),
    isAlive: row.is_alive === 1,
  };
}

/** Rows of earlier versions know of no code and no truncation. */
function toCallEnd({ result, errorType }: CallEnd): CallEnd {
  const known = { code: errorType, truncated: undefined };
  return { result: { ...known, ...result }, errorType };
}

/** Values of `state`, `interrupt`, `approval` and `audit` of an attempt that begins; null keeps what was there. */
export function begunValues({ asks, approval, audit }: ExecutionStart): readonly (string | null)[] {
  return [
    asks === undefined ? 'STARTED' : 'SUSPENDED',
    asks === undefined ? null : JSON.stringify(asks),
    approval === undefined ? null : JSON.stringify(approval),
    JSON.stringify(audit),
  ];
}

/** Values of `interrupt` and `result` after a settlement; null keeps the interrupt that was there. */
export function settledValues(settlement: Settlement): readonly [interrupt: string | null, result: string | null] {
  return settlement.state === 'SUSPENDED'
    ? [JSON.stringify(settlement.interrupt), null]
    : [null, JSON.stringify(settlement.end)];
}
