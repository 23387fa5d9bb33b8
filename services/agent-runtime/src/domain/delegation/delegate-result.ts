import { type DomainError, unreachable } from '@spanwise/kernel';
import { type Message, role, type ToolOutcome, type ToolResultPart, toolOutcome } from '../message/message.ts';
import type { RunFinish } from '../run/run-outcome.ts';

/** UTF-8 bytes of an agent's answer that the agent which asked is shown: as much as of a tool's output. */
export const maxAnswerBytes = 50 * 1024;

/** The result of a delegate call whose agent came to an end: its last answer, or what ended it and what it had so far. */
export function finishedResult(callId: string, finish: RunFinish, dialogue: readonly Message[]): ToolResultPart {
  switch (finish) {
    case 'stop': {
      const text = textOf(dialogue.at(-1));
      return result(callId, toolOutcome.ok, text === '' ? '(The agent said nothing.)' : bounded(text));
    }
    case 'max-turns':
      return brokenOff(callId, 'The agent ran out of turns before it was done.', dialogue);
    case 'length':
      return brokenOff(callId, "The agent's answer was cut at its token limit.", dialogue);
    case 'content-filter':
      return brokenOff(callId, "The provider's content filter ended the agent's answer.", dialogue);
    default:
      return unreachable(finish);
  }
}

/** The result of a delegate call whose agent failed. */
export function failedAgentResult(
  callId: string,
  { reason, message }: DomainError,
  dialogue: readonly Message[],
): ToolResultPart {
  return brokenOff(callId, `The agent failed. ${reason}: ${message}`, dialogue, reason);
}

/** The result of a delegate call that asks for what there is not. */
export function badTaskResult(callId: string, problem: string): ToolResultPart {
  return result(callId, toolOutcome.error, `INVALID_FIELD: ${problem}`, 'INVALID_FIELD');
}

function brokenOff(callId: string, what: string, dialogue: readonly Message[], code = 'TOOL_FAILED'): ToolResultPart {
  const said = textOf(dialogue.findLast((message) => message.role === role.assistant && textOf(message) !== ''));
  const soFar = said === '' ? 'It had said nothing yet.' : `What it said last:\n\n${bounded(said)}`;
  return result(callId, toolOutcome.error, `${what} ${soFar}`, code);
}

/** The text of an answer; empty when the message is none. */
function textOf(message: Message | undefined): string {
  const parts = message?.role === role.assistant ? message.parts : [];
  return parts.flatMap(({ part }) => (part.case === 'text' ? [part.value.text] : [])).join('\n\n');
}

/** The beginning of a text, and how much is missing. */
function bounded(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxAnswerBytes) {
    return text;
  }
  let end = maxAnswerBytes;
  // Never in the middle of a code point: a byte like 10xxxxxx goes on with one.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) {
    end -= 1;
  }
  return `${bytes.toString('utf8', 0, end)}\n[The answer is cut here: ${end} of ${bytes.length} bytes are shown.]`;
}

function result(callId: string, outcome: ToolOutcome, text: string, code = ''): ToolResultPart {
  return { callId, outcome, content: [{ content: { case: 'text', value: text } }], structuredJson: '', code };
}
