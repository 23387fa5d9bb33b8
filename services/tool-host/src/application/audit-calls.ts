import type { IdGenerator } from '@spanwise/kernel';
import type { Tool } from '@spanwise/tool-kit/contract';
import { type AuditFacts, type AuditOutcome, auditCode } from '../domain/audit/audit-entry.ts';
import type { AuditLog } from '../domain/audit/audit-log.ts';
import type { CallEnd, ToolCall } from '../domain/tool/tool-call.ts';
import { argsHash } from './args-hash.ts';

export interface AuditCallsDeps {
  readonly audit: Pick<AuditLog, 'add'>;
  readonly ids: Pick<IdGenerator, 'uuid'>;
  /** Told of a line that could not be written; for the log. */
  readonly onFailure: (call: ToolCall, error: unknown) => void;
}

/** A call that is in no ledger, and how it ended. */
export interface AuditedCall {
  readonly call: ToolCall;
  readonly tool: Pick<Tool, 'name' | 'effect'>;
  readonly facts: AuditFacts;
  readonly end: CallEnd;
  /** True when the tool was called. */
  readonly isExecuted: boolean;
}

/** Adds lines to the audit for calls that are in no ledger. */
export class AuditCalls {
  readonly #deps: AuditCallsDeps;

  constructor(deps: AuditCallsDeps) {
    this.#deps = deps;
  }

  /** Never throws: a line that is lost does not change what the model is told. */
  async note({ call, tool, facts, end: { result }, isExecuted }: AuditedCall): Promise<void> {
    const { audit, ids, onFailure } = this.#deps;
    const { sessionId, runId, callId } = call;
    const outcome: AuditOutcome = isExecuted ? result.outcome : 'refused';
    try {
      const hash = await argsHash(call.tool, call.argumentsJson);
      const ended = { argsHash: hash, outcome, code: auditCode(result.code) };
      await audit.add({
        ...facts,
        ...{ id: ids.uuid(), sessionId, runId, callId, tool: tool.name, effect: tool.effect, ...ended },
      });
    } catch (error) {
      onFailure(call, error);
    }
  }
}
