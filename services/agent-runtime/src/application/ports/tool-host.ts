import { DomainError, type ExecSpanContext } from '@spanwise/kernel';
import type { ToolCallPart, ToolResultPart } from '../../domain/message/message.ts';
import type { RunScope } from '../../domain/run/run-dispatch.ts';
import type { RunEvent } from '../../domain/run/run-event.ts';
import type { Tool } from '../../domain/tool/tool.ts';

/** Knows and executes tools. */
export interface ToolHost {
  /** All tools; may be some seconds old. Throws TOOL_HOST_UNAVAILABLE. */
  list(run: RunScope, span: ExecSpanContext): Promise<readonly Tool[]>;
  /**
   * Executes one call and returns its result, also when the tool failed. What happens meanwhile goes to `emit`:
   * SPAN_START, SPAN_END and TOOL_PROGRESS. Aborting the signal stops the tool. Throws TOOL_HOST_UNAVAILABLE (see
   * {@link toolHostUnavailable}) and what else tool-host refuses the request with.
   */
  execute(execution: ToolExecution, emit: (event: RunEvent) => void, signal: AbortSignal): Promise<ToolResultPart>;
}

export interface ToolExecution {
  readonly run: RunScope;
  readonly call: ToolCallPart;
  /** The enclosing span: the tool's span becomes its child. */
  readonly span: ExecSpanContext;
}

/** Tool-host could not be reached, or was lost. `mayHaveRun` is false only if the call is known not to have reached it. */
export function toolHostUnavailable(mayHaveRun: boolean, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'TOOL_HOST_UNAVAILABLE', 'The tool host could not be reached.', {
    facts: { may_have_run: String(mayHaveRun) },
    cause,
  });
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
