import { DomainError } from '@spanwise/kernel';
import type { Tool } from '@spanwise/tool-kit/contract';
import { type AuditDecision, type AuditFacts, auditFacts } from '../domain/audit/audit-entry.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';

/** A tool, and arguments that fit it. */
export interface KnownCall {
  readonly tool: Tool;
  readonly input: unknown;
}

/** The same, and the rule that decided about it; empty when it was the tool's default, or nothing has decided yet. */
export interface RuledCall extends KnownCall {
  readonly rule: string;
}

interface Decided {
  readonly decision: AuditDecision;
  /** Empty when it was the tool's default. */
  readonly rule: string;
}

/** What the audit says of a call before it is executed. */
export function factsOf(call: ToolCall, { tool, input }: KnownCall, { decision, rule }: Decided): AuditFacts {
  const { caller, span } = call;
  const targets = tool.targets?.(input) ?? [];
  return auditFacts({
    ...{ uid: caller.uid, toolVersion: tool.version, decision, rule, targets, traceId: span.traceId },
  });
}

/** What it says of a call that was refused; undefined when neither a rule nor its owner refused it. */
export function factsOfRefusal(call: ToolCall, known: RuledCall, error: unknown): AuditFacts | undefined {
  if (!(error instanceof DomainError)) {
    return undefined;
  }
  if (error.reason === 'TOOL_DENIED') {
    return factsOf(call, known, { decision: 'deny', rule: String(error.facts.rule ?? '') });
  }
  if (error.reason === 'APPROVAL_DECLINED') {
    const isAnswered = call.answer?.isExpired === false;
    return factsOf(call, known, { decision: isAnswered ? 'declined' : 'expired', rule: known.rule });
  }
  return undefined;
}
