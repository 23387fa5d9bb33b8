import type { ChatMessage } from '@copilotkit/aimock';

/**
 * What is wrong with a transcript by the rules that strict providers enforce: every tool call is answered exactly once and
 * right after the message that asks for it, nothing else is answered, nothing is empty. Undefined when nothing is.
 */
export function transcriptViolation(messages: readonly ChatMessage[]): string | undefined {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const at = `message ${index} (${message.role})`;
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id ?? '')) {
        return `${at} answers a call that is not open: ${message.tool_call_id}`;
      }
      continue;
    }
    if (open.size > 0) {
      return `${at} comes before the answers of ${[...open].join(', ')}`;
    }
    const calls = message.tool_calls ?? [];
    if (calls.length === 0 && isEmpty(message.content)) {
      return `${at} is empty`;
    }
    open = new Set(calls.map(({ id }) => id));
    if (open.size < calls.length) {
      return `${at} uses a call id twice`;
    }
  }
  return open.size === 0 ? undefined : `calls without an answer: ${[...open].join(', ')}`;
}

function isEmpty(content: ChatMessage['content']): boolean {
  return content === null || content === undefined || content.length === 0;
}
