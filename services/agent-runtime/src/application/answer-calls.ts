import { DomainError } from '@spanwise/kernel';
import { type ToolCallPart, type ToolOutcome, type ToolResultPart, toolOutcome } from '../domain/message/message.ts';
import type { UnansweredCall } from '../domain/tool/call-batch.ts';
import { loopDetected } from '../domain/tool/call-loop.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { mayHaveRun } from './ports/tool-host.ts';

/** Results that no tool gave. Their text is for the model, and never claims that a call did not run when it may have. */

/** The run ended before the call did. */
export function endedResult({ call, wasBegun, isSuspended }: UnansweredCall): ToolResultPart {
  if (isSuspended) {
    return result(call, toolOutcome.cancelled, 'The run was ended while this call waited for an answer.');
  }
  return wasBegun
    ? result(call, toolOutcome.cancelled, 'The run was ended while this call was executing. It may have had effects.')
    : result(call, toolOutcome.notStarted, 'The run was ended before this call was begun. It had no effects.');
}

/** An executor was lost while it held the call. */
export function lostResult(call: { readonly callId: string }): ToolResultPart {
  const text = 'The process that held this call was lost. Whether it ran is not known: look before you repeat it.';
  return result(call, toolOutcome.unknown, text);
}

/** The call asks the user, and asks again when it is told that nobody answers. */
export function nobodyToAsk(call: ToolCallPart): ToolResultPart {
  const text = 'Nobody is there to answer what this call asks. Go on without it.';
  return result(call, toolOutcome.error, text, 'DEADLINE_EXCEEDED');
}

/** The arguments were cut by the token limit. */
export function cutResult(call: ToolCallPart): ToolResultPart {
  const bytes = Buffer.byteLength(call.argumentsJson);
  const text = `The arguments were cut at the token limit after ${bytes} bytes, so the call was not executed. Ask for less at once.`;
  return result(call, toolOutcome.error, text, 'INVALID_FIELD');
}

/** The provider withheld the rest of the answer, so that what was asked for is not executed. */
export function withheldResult(call: ToolCallPart): ToolResultPart {
  return result(
    call,
    toolOutcome.notStarted,
    "The provider's content filter ended the answer. The call was not begun.",
  );
}

/** The model named a tool that it was not offered. */
export function unknownToolResult(call: ToolCallPart, tools: readonly Tool[]): ToolResultPart {
  const names = tools.map(({ name }) => name).join(', ');
  const text = `There is no tool ${JSON.stringify(call.tool.slice(0, 64))}. The tools are: ${names === '' ? 'none' : names}.`;
  return result(call, toolOutcome.error, text, 'TOOL_NOT_FOUND');
}

/** The model asked for more calls in one turn than are executed. */
export function tooManyCallsResult(call: ToolCallPart, limit: number): ToolResultPart {
  const text = `Only the first ${limit} calls of a turn are executed. Ask for this one again in the next turn.`;
  return result(call, toolOutcome.error, text, 'TOO_MANY_CALLS');
}

/** The model asks for the same thing for the third time in a row, and has got the same answer so far. */
export function loopResult(call: ToolCallPart): ToolResultPart {
  const text = `This is the same call of ${call.tool.slice(0, 64)} with the same arguments for the third time in a row, so it was not executed. Do something else: use the result that you have, change the arguments, or say what stops you.`;
  return result(call, toolOutcome.error, text, loopDetected);
}

/** A rule keeps the task from being handed on. */
export function notDelegatedResult(call: ToolCallPart, rule: string): ToolResultPart {
  const text = `This task is not to be delegated (rule "${rule.slice(0, 64)}"). Do it yourself, or go on without it.`;
  return result(call, toolOutcome.error, text, 'TOOL_DENIED');
}

/** The tool host gave no result. */
export function failedResult(call: ToolCallPart, tool: Tool, error: unknown): ToolResultPart {
  const { reason, message } = error instanceof DomainError ? error : { reason: 'INTERNAL', message: 'Internal error.' };
  if (tool.effect !== 'read-only' && mayHaveRun(error)) {
    const text = `${reason}: ${message} Whether the call ran is not known: look before you repeat it.`;
    return result(call, toolOutcome.unknown, text, reason);
  }
  return result(call, toolOutcome.error, `${reason}: ${message}`, reason);
}

/** A result as a tool gave it, with something in it to show: providers refuse empty ones. */
export function shownResult(given: ToolResultPart): ToolResultPart {
  const isEmpty = given.content.every(({ content }) => content.value === '');
  return isEmpty ? { ...given, content: [{ content: { case: 'text', value: '(no output)' } }] } : given;
}

/** `code` is a reason of the catalogue; empty when nothing went wrong but that the run ended. */
function result(
  { callId }: { readonly callId: string },
  outcome: ToolOutcome,
  text: string,
  code = '',
): ToolResultPart {
  return { callId, outcome, content: [{ content: { case: 'text', value: text } }], structuredJson: '', code };
}
