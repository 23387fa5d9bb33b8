import { DomainError } from '@spanwise/kernel';
import { type AuditDecision, type AuditFacts, auditFacts } from '../domain/audit/audit-entry.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';
import type { KnownCall } from './known-call.ts';

interface Decided {
  readonly decision: AuditDecision;
  /** Empty when it was the tool's default. */
  readonly rule: string;
}

/** What the audit says of a call before it is executed. */
export function factsOf(call: ToolCall, { tool, targets }: KnownCall, { decision, rule }: Decided): AuditFacts {
  const { caller, span } = call;
  return auditFacts({
    ...{ uid: caller.uid, toolVersion: tool.version, decision, rule, targets, traceId: span.traceId },
  });
}

/**
 * What it says of a call that was refused; undefined when neither a rule nor its owner refused it. `rule` has asked for it;
 * empty when it was the tool's default.
 */
export function factsOfRefusal(call: ToolCall, known: KnownCall, rule: string, error: unknown): AuditFacts | undefined {
  if (!(error instanceof DomainError)) {
    return undefined;
  }
  if (error.reason === 'TOOL_DENIED') {
    return factsOf(call, known, { decision: 'deny', rule: String(error.facts.rule ?? '') });
  }
  if (error.reason === 'APPROVAL_DECLINED') {
    const isAnswered = call.answer?.isExpired === false;
    return factsOf(call, known, { decision: isAnswered ? 'declined' : 'expired', rule });
  }
  return undefined;
}
