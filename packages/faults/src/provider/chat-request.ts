import { type DialogueMessage, dialogueFaults } from '../checkers/dialogue-rules.ts';
import { marksOf, parseScript, type RunScript } from './run-script.ts';

/** A message as the chat completions protocol has it. */
interface WireMessage {
  readonly role: DialogueMessage['role'];
  readonly content?: string | readonly { readonly text?: string }[] | null;
  readonly tool_calls?: readonly { readonly id: string }[];
  readonly tool_call_id?: string;
}

/** What the provider makes of a request. */
export interface ChatRequest {
  readonly script: RunScript | undefined;
  /** Index of the turn that is asked for. */
  readonly turn: number;
  /** Rules of providers that the transcript breaks. */
  readonly faults: readonly string[];
  /** Marks of the scripts whose runs the transcript has messages of. */
  readonly heard: readonly string[];
}

/** Reads a request: which script is played, and which of its turns is next. */
export function readChatRequest(body: string): ChatRequest {
  const { messages } = JSON.parse(body) as { readonly messages: readonly WireMessage[] };
  const asked = messages.findLastIndex(({ role }) => role === 'user');
  const script = parseScript(textOf(messages[asked]));
  const turn = messages.slice(asked).filter(({ role }) => role === 'assistant').length;
  const heard = messages
    .filter(({ role }) => role === 'user' || role === 'assistant')
    .flatMap((each) => marksOf(textOf(each)));
  return { script, turn, faults: dialogueFaults(messages.map(reduced)), heard: [...new Set(heard)] };
}

function reduced(message: WireMessage): DialogueMessage {
  const calls = message.tool_calls?.map(({ id }) => id) ?? [];
  const answers = message.tool_call_id === undefined ? [] : [message.tool_call_id];
  // The result of a tool may be empty text.
  const isEmpty = textOf(message) === '' && calls.length === 0 && answers.length === 0;
  return { role: message.role, calls, answers, isEmpty };
}

function textOf(message: WireMessage | undefined): string {
  const content = message?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('\n\n');
}
