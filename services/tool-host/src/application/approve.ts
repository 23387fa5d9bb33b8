import type { Clock, IdGenerator } from '@spanwise/kernel';
import type { Approval, Interrupt, InterruptAnswer, Tool } from '@spanwise/tool-kit/contract';
import type { Execution } from '../domain/execution/execution.ts';
import { approvalSchema, type GivenApproval, parseApproval } from '../domain/execution/given-approval.ts';
import type { Ledger } from '../domain/execution/ledger.ts';
import { approvalDeclined, approvalExpired } from '../domain/policy/policy-errors.ts';
import { clipBytes } from '../domain/text/bounded-text.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';
import { approvalHash } from './args-hash.ts';
import type { KnownCall } from './known-call.ts';

export interface ApproveDeps {
  readonly ledger: Pick<Ledger, 'find'>;
  readonly ids: Pick<IdGenerator, 'uuid'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** How long a call waits for its approval. */
  readonly askExpiryMs: number;
}

/** Whether a call may be executed now. */
export type ApprovalState =
  | {
      readonly type: 'approved';
      readonly approval: GivenApproval;
      /** The answer that the call brings, as far as it is for its tool. */
      readonly answer: InterruptAnswer | undefined;
    }
  /** It has been asked for, and waits. */
  | { readonly type: 'waits'; readonly interrupt: Interrupt }
  /** It is to be asked for; `replaces` is what the call waits for until then. */
  | { readonly type: 'ask'; readonly interrupt: Interrupt; readonly replaces: string | undefined };

const maxTargets = 32;
const maxTargetBytes = 1024;
const maxMessageBytes = 4096;

/**
 * Looks whether the owner of the session has approved exactly this tool, version and arguments: now, or before the call had
 * to wait for something else. `rule` is the one that asks. Throws APPROVAL_DECLINED.
 */
export async function approve(
  deps: ApproveDeps,
  call: ToolCall,
  known: KnownCall,
  rule: string,
): Promise<ApprovalState> {
  const { tool } = known;
  const argsHash = await approvalHash(tool.name, tool.version, call.argumentsJson);
  const found = await deps.ledger.find(call);
  const asked = found?.interrupt?.kind === 'approval' ? found.interrupt : undefined;
  const isAnswered = asked !== undefined && call.answer?.interruptId === asked.id;
  if (found?.approval?.argsHash === argsHash) {
    return { type: 'approved', approval: found.approval, answer: isAnswered ? undefined : call.answer };
  }
  if (asked?.approval?.argsHash === argsHash) {
    return isAnswered
      ? { type: 'approved', approval: approvalOf(call, tool.name, argsHash), answer: undefined }
      : { type: 'waits', interrupt: asked };
  }
  return { type: 'ask', interrupt: request(deps, call, known, { argsHash, rule }), replaces: waitedFor(found) };
}

function waitedFor(found: Execution | undefined): string | undefined {
  return found?.state === 'DONE' ? undefined : found?.interrupt?.id;
}

function approvalOf({ answer }: ToolCall, tool: string, argsHash: string): GivenApproval {
  if (answer === undefined || answer.isExpired) {
    throw approvalExpired(tool);
  }
  const given = parseApproval(answer.answerJson);
  if (!given.isApproved) {
    throw approvalDeclined(tool, given.reason);
  }
  return { argsHash, argumentsJson: given.argumentsJson, approvedBy: answer.answeredBy };
}

function request(
  deps: ApproveDeps,
  call: ToolCall,
  { tool, targets: touched }: KnownCall,
  asked: Pick<Approval, 'argsHash' | 'rule'>,
): Interrupt {
  const { name, title, version } = tool;
  const targets = shownTargets(touched.map(({ value }) => value));
  const { argumentsJson, callId } = call;
  return {
    id: deps.ids.uuid(),
    kind: 'approval',
    callId,
    message: clipBytes(messageOf(tool, targets), maxMessageBytes),
    schemaJson: JSON.stringify(approvalSchema(tool.input.jsonSchema)).toWellFormed(),
    expiresAtMs: deps.clock.nowMs() + deps.askExpiryMs,
    approval: { tool: name, title, toolVersion: version, argumentsJson, targets, ...asked },
  };
}

/** Each once; what is left out is said. */
function shownTargets(values: readonly string[]): readonly string[] {
  const all = [...new Set(values)];
  const shown = all.slice(0, maxTargets - 1).map((value) => {
    const whole = value.toWellFormed();
    const clipped = clipBytes(whole, maxTargetBytes);
    return clipped === whole ? whole : `${clipped} …`;
  });
  return all.length > shown.length ? [...shown, `and ${all.length - shown.length} more`] : shown;
}

function messageOf({ name, title }: Tool, targets: readonly string[]): string {
  return `${title} (${name})${targets.length === 0 ? '' : `: ${targets.join(', ')}`}`;
}
