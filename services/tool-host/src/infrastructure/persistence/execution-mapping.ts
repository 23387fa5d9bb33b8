import { brandId, type CallId, type RunId, type SessionId } from '@spanwise/kernel';
import type { SqlRow } from '@spanwise/persistence';
import type { Execution, ExecutionState, Settlement } from '../../domain/execution/execution.ts';
import type { Interrupt } from '../../domain/execution/interrupt.ts';
import type { ToolEffect } from '../../domain/tool/tool.ts';
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
    end: row.result === null ? undefined : (JSON.parse(row.result) as CallEnd),
    isAlive: row.is_alive === 1,
  };
}

/** Values of `interrupt` and `result` after a settlement; null keeps the interrupt that was there. */
export function settledValues(settlement: Settlement): readonly [interrupt: string | null, result: string | null] {
  return settlement.state === 'SUSPENDED'
    ? [JSON.stringify(settlement.interrupt), null]
    : [null, JSON.stringify(settlement.end)];
}
