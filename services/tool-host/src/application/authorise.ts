import { defaultDecisionOf } from '@spanwise/tool-kit/contract';
import { nobodyToApprove, toolDenied } from '../domain/policy/policy-errors.ts';
import { decide, type PolicyVerdict } from '../domain/policy/tool-policy.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';
import type { KnownCall } from './known-call.ts';

/** What the rules say about a call with these arguments. Throws TOOL_DENIED, also for what nobody is there to approve. */
export function authorise(call: ToolCall, { tool, targets }: KnownCall): PolicyVerdict {
  const verdict = decide(call.policy, {
    tool: tool.name,
    defaultDecision: tool.defaultDecision ?? defaultDecisionOf(tool.toolClass),
    targets,
  });
  if (verdict.decision === 'deny') {
    throw toolDenied(tool.name, verdict.rule);
  }
  if (verdict.decision === 'ask' && !call.isInteractive) {
    throw nobodyToApprove(tool.name, verdict.rule);
  }
  return verdict;
}
