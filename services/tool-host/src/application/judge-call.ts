import { DomainError } from '@spanwise/kernel';
import type { CallLog, Interrupt, InterruptAnswer, Tool } from '@spanwise/tool-kit/contract';
import type { AuditFacts } from '../domain/audit/audit-entry.ts';
import type { GivenApproval } from '../domain/execution/given-approval.ts';
import { type CallEnd, failedEnd, type ToolCall } from '../domain/tool/tool-call.ts';
import type { ToolCatalog } from '../domain/tool/tool-catalog.ts';
import { type ApproveDeps, approve } from './approve.ts';
import { factsOf, factsOfRefusal } from './audit-facts.ts';
import { authorise } from './authorise.ts';
import { decodeArguments } from './decode-arguments.ts';
import { explainFailure } from './explain-failure.ts';
import { type KnownCall, knownCall } from './known-call.ts';
import { validateArguments } from './validate-arguments.ts';

export interface JudgeCallDeps extends ApproveDeps {
  readonly tools: ToolCatalog;
}

/** A call that may be executed: with the arguments of the model, or what its user has made of them. */
export interface GrantedCall extends KnownCall {
  /** Undefined when the call needs none. */
  readonly approval: GivenApproval | undefined;
  /** What the tool itself has asked for. */
  readonly answer: InterruptAnswer | undefined;
  readonly audit: AuditFacts;
}

export type Judgement =
  | { readonly type: 'granted'; readonly granted: GrantedCall }
  /** It waits for its approval already. */
  | { readonly type: 'waits'; readonly interrupt: Interrupt }
  /** Its approval is to be asked for; `replaces` is what the call waits for until then. */
  | {
      readonly type: 'ask';
      readonly tool: Tool;
      readonly interrupt: Interrupt;
      readonly replaces: string | undefined;
      readonly audit: AuditFacts;
    }
  /** `refusal` is there when a rule, or its owner, refused it. */
  | { readonly type: 'refused'; readonly end: CallEnd; readonly refusal?: Refusal | undefined };

/** What the audit is told of a call that was refused. */
export interface Refusal {
  readonly tool: Tool;
  readonly facts: AuditFacts;
}

/**
 * The way of a call up to its execution: look up → decode and validate the arguments → authorise → approve. A call that
 * comes back with an answer takes it again from its beginning. Throws DATABASE_UNAVAILABLE.
 */
export async function judgeCall(
  deps: JudgeCallDeps,
  call: ToolCall,
  log: CallLog,
  signal: AbortSignal,
): Promise<Judgement> {
  await deps.tools.prepare(call.caller, signal, call.tool);
  let known: KnownCall | undefined;
  let rule = '';
  try {
    const tool = deps.tools.require(call.tool, call.caller.uid);
    known = knownCall(tool, validateArguments(tool, decodeArguments(call.argumentsJson)));
    const verdict = authorise(call, known);
    rule = verdict.rule;
    if (verdict.decision === 'allow' && !(await answersApproval(deps, call))) {
      const audit = factsOf(call, known, verdict);
      return { type: 'granted', granted: { ...known, approval: undefined, answer: call.answer, audit } };
    }
    const state = await approve(deps, call, known, rule);
    switch (state.type) {
      case 'ask':
        return { ...state, tool, audit: factsOf(call, known, verdict) };
      case 'waits':
        return state;
      default: {
        const { approval, answer } = state;
        if (approval.argumentsJson !== undefined) {
          // Arguments that the user has changed are judged like any others.
          known = knownCall(tool, validateArguments(tool, decodeArguments(approval.argumentsJson)));
          authorise(call, known);
        }
        const audit = factsOf(call, known, { ...verdict, decision: 'approved' });
        return { type: 'granted', granted: { ...known, approval, answer, audit } };
      }
    }
  } catch (error) {
    if (error instanceof DomainError && error.kind === 'unavailable' && error.reason !== 'TOOL_UNAVAILABLE') {
      throw error;
    }
    const facts = known && factsOfRefusal(call, known, rule, error);
    return {
      type: 'refused',
      end: failureOf(call, error, log),
      refusal: known && facts && { tool: known.tool, facts },
    };
  }
}

/** The end of a call that was refused, or whose tool threw. A bug is logged, and the model not told of it. */
export function failureOf({ callId }: ToolCall, error: unknown, log: CallLog): CallEnd {
  const { outcome, text, errorType, isBug } = explainFailure(error);
  if (isBug) {
    log.error({ err: error }, 'tool failed');
  }
  return failedEnd(callId, outcome, text, errorType);
}

/** Whether the call was asked for, though it would not be any more: then its answer is for that, and counts. */
async function answersApproval({ ledger }: JudgeCallDeps, call: ToolCall): Promise<boolean> {
  if (call.answer === undefined) {
    return false;
  }
  const interrupt = (await ledger.find(call))?.interrupt;
  return interrupt?.kind === 'approval' && interrupt.id === call.answer.interruptId;
}
