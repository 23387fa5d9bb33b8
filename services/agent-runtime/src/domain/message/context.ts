import { contextInvalid } from './context-errors.ts';
import { callsOf, type Message, type PartContent, role } from './message.ts';

/**
 * Checks what the strictest provider asks of a dialogue: it begins with the user, answers follow something to answer,
 * each tool call is answered once by the message right after it, nothing is answered that was not asked, nothing is
 * empty. Throws CONTEXT_INVALID.
 */
export function assertContext(messages: readonly Message[]): void {
  const callIds = new Set<string>();
  let previous: Message | undefined;
  for (const message of messages) {
    const problem = problemOf(message, previous, callIds);
    if (problem !== undefined) {
      throw contextInvalid(problem, message.id);
    }
    previous = message;
  }
}

/** Checks that a model can be asked now: the context is valid and its last message wants an answer. */
export function assertAskable(messages: readonly Message[]): void {
  assertContext(messages);
  const last = messages.at(-1);
  if (last === undefined || last.role === role.assistant) {
    throw contextInvalid('there is nothing to answer', last?.id ?? '');
  }
}

const storedRoles: ReadonlySet<number> = new Set([role.user, role.assistant, role.tool]);

function problemOf(message: Message, previous: Message | undefined, callIds: Set<string>): string | undefined {
  const asked = callsOf(previous).map(({ callId }) => callId);
  if (!storedRoles.has(message.role)) {
    return 'a message has a role that is never stored';
  }
  if (message.parts.length === 0) {
    return 'a message is empty';
  }
  if (asked.length > 0 && message.role !== role.tool) {
    return 'tool calls are not answered by the message after them';
  }
  for (const { part } of message.parts) {
    const problem = isAllowed(part, message) ? emptyPart(part) : 'a part does not suit the role';
    if (problem !== undefined) {
      return problem;
    }
  }
  if (message.role === role.assistant) {
    const isAnswer = previous !== undefined && previous.role !== role.assistant;
    return isAnswer ? repeatedCall(message, callIds) : 'an answer follows nothing to answer';
  }
  return message.role === role.tool ? wrongAnswers(message, asked) : undefined;
}

function isAllowed(part: PartContent, message: Message): boolean {
  switch (part.case) {
    case 'text':
      return message.role === role.user || message.role === role.assistant;
    case 'reasoning':
    case 'toolCall':
      return message.role === role.assistant;
    case 'toolResult':
      return message.role === role.tool;
    default:
      // A part of a newer service: what it means to a provider is not known here.
      return false;
  }
}

function emptyPart(part: PartContent): string | undefined {
  if (part.case === 'text' && part.value.text === '') {
    return 'a text is empty';
  }
  if (part.case === 'toolResult' && !part.value.content.some(({ content }) => content.value !== '')) {
    return 'a tool result is empty';
  }
  return undefined;
}

function repeatedCall(message: Message, callIds: Set<string>): string | undefined {
  for (const { callId } of callsOf(message)) {
    if (callId === '' || callIds.has(callId)) {
      return 'a call id is empty or used twice';
    }
    callIds.add(callId);
  }
  return undefined;
}

function wrongAnswers(message: Message, asked: readonly string[]): string | undefined {
  const answered = message.parts.flatMap(({ part }) => (part.case === 'toolResult' ? [part.value.callId] : []));
  const open = new Set(asked);
  const isOrphan = answered.some((callId) => !open.delete(callId));
  if (isOrphan) {
    return 'a tool result answers no call of the message before it, or one twice';
  }
  return open.size > 0 ? 'a tool call has no result' : undefined;
}
