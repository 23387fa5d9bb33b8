import type { CallId, RunId, SessionId, Uid } from '@spanwise/kernel';
import type { ToolEffect, ToolTarget } from '@spanwise/tool-kit/contract';
import { clipBytes } from '../text/bounded-text.ts';
import { redact } from '../text/redact.ts';
import type { ToolOutcome } from '../tool/tool-call.ts';

/**
 * What was decided about a call: the rules allow it, ask for an approval or deny it; its owner approved or declined it, or
 * nobody answered in time.
 */
export type AuditDecision = 'allow' | 'ask' | 'deny' | 'approved' | 'declined' | 'expired';

/** What is known of a call when it is decided about. */
export interface AuditFacts {
  /** The user for whom it is. */
  readonly uid: Uid;
  readonly toolVersion: string;
  readonly decision: AuditDecision;
  /** The rule that decided; empty when it was the tool's default. */
  readonly rule: string;
  /** What the call touches, bounded and without what looks like a secret. */
  readonly targets: readonly ToolTarget[];
  readonly traceId: string;
}

/** What became of a call: `suspended` waits for the user, `refused` was not executed. */
export type AuditOutcome = ToolOutcome | 'suspended' | 'refused';

/** A line of the audit. Of the arguments of a call it has only what they touch, and of its result nothing. */
export interface AuditEntry extends AuditFacts {
  /** UUID. */
  readonly id: string;
  readonly sessionId: SessionId;
  readonly runId: RunId;
  readonly callId: CallId;
  readonly tool: string;
  readonly effect: ToolEffect;
  /** Digest of tool and arguments, as in the ledger. */
  readonly argsHash: string;
  readonly outcome: AuditOutcome;
  /** Reason of an error; empty when there is none. */
  readonly code: string;
}

/** What is cut: more is not needed to find out what a call was about. */
const limits = { targets: 32, targetBytes: 512, ruleBytes: 1024, codeBytes: 128 } as const;

/** Makes facts that are bounded, of what a call touches and the rule that decided. */
export function auditFacts({ targets, rule, ...facts }: AuditFacts): AuditFacts {
  const bounded = targets.slice(0, limits.targets).map(({ kind, value, access }) => {
    return { kind, value: clipBytes(redact(value.toWellFormed()), limits.targetBytes), access };
  });
  return { ...facts, rule: clipBytes(rule.toWellFormed(), limits.ruleBytes), targets: bounded };
}

/** The reason of an error, bounded: a tool may have its own. */
export function auditCode(code: string): string {
  return clipBytes(code.toWellFormed(), limits.codeBytes);
}
