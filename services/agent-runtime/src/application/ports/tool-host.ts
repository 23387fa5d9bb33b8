import { DomainError, type ExecSpanContext } from '@spanwise/kernel';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import type { ToolCallPart, ToolResultPart } from '../../domain/message/message.ts';
import type { Interrupt, InterruptAnswer } from '../../domain/run/interrupt.ts';
import type { RunScope } from '../../domain/run/run-dispatch.ts';
import type { RunEvent } from '../../domain/run/run-event.ts';
import type { Tool } from '../../domain/tool/tool.ts';

/** Knows and executes tools. */
export interface ToolHost {
  /** All tools; may be some seconds old. Throws TOOL_HOST_UNAVAILABLE. */
  list(run: RunScope, span: ExecSpanContext): Promise<readonly Tool[]>;
  /**
   * Executes one call and returns its result, also when the tool failed, or what the call waits for. A call that was
   * executed before answers as it did then. What happens meanwhile goes to `emit`: SPAN_START, SPAN_END and TOOL_PROGRESS.
   * Aborting the signal stops the tool. Throws TOOL_HOST_UNAVAILABLE (see {@link toolHostUnavailable}), FENCED when
   * another dispatch took the run over, and what else tool-host refuses the request with.
   */
  execute(execution: ToolExecution, emit: (event: RunEvent) => void, signal: AbortSignal): Promise<ToolAnswer>;
  /**
   * Tells what became of a call, and waits up to `waitMs` (60,000 at most) while it is executed. Throws
   * TOOL_HOST_UNAVAILABLE, FENCED, and what else tool-host refuses the request with.
   */
  find(sought: SoughtExecution, waitMs: number, signal: AbortSignal): Promise<FoundExecution>;
}

export interface SoughtExecution {
  readonly run: RunScope;
  readonly call: ToolCallPart;
  /** The enclosing span. */
  readonly span: ExecSpanContext;
}

export interface ToolExecution extends SoughtExecution {
  /** What the call waited for; undefined at its first execution. The tool's span becomes a child of `span`. */
  readonly answer: InterruptAnswer | undefined;
  /** The rules of agent, session and run. */
  readonly policy: ToolPolicy;
  /** Whether somebody is there to approve it. */
  readonly isInteractive: boolean;
}

/** How a call ended, or what it waits for. */
export type ToolAnswer =
  | { readonly kind: 'result'; readonly result: ToolResultPart }
  | { readonly kind: 'suspended'; readonly interrupt: Interrupt };

/** Where an execution stands. */
export type FoundExecution =
  /** It was never begun, or its tool only reads. */
  | { readonly state: 'none' }
  | { readonly state: 'started' }
  | { readonly state: 'suspended'; readonly interrupt: Interrupt }
  | { readonly state: 'done'; readonly result: ToolResultPart }
  /** Whoever executed it is gone: it may have had effects. */
  | { readonly state: 'unknown' };

/** Tool-host could not be reached, or was lost. `mayHaveRun` is false only if the call is known not to have reached it. */
export function toolHostUnavailable(mayHaveRun: boolean, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'TOOL_HOST_UNAVAILABLE', 'The tool host could not be reached.', {
    facts: { may_have_run: String(mayHaveRun) },
    cause,
  });
}

/** Whether tool-host may answer if it is asked again. */
export function mayComeBack(error: unknown): boolean {
  return error instanceof DomainError && error.kind === 'unavailable';
}

/** Kinds of refusal that come before a tool is begun. */
const refusals: ReadonlySet<string> = new Set(['invalid', 'unauthenticated', 'denied', 'not-found']);

/** Whether a call that ended with this error may have had effects. */
export function mayHaveRun(error: unknown): boolean {
  if (!(error instanceof DomainError)) {
    return true;
  }
  return error.kind === 'unavailable' ? error.facts.may_have_run !== 'false' : !refusals.has(error.kind);
}
