import { type Message, role } from '../../../domain/message/message.ts';

/** Chat templates of open models insist on alternating roles, and a cancelled run leaves two user messages in a row. */
export function alternating(messages: readonly Message[]): readonly Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (last?.role === role.user && message.role === role.user) {
      merged[merged.length - 1] = { ...last, parts: [...last.parts, ...message.parts] };
    } else {
      merged.push(message);
    }
  }
  return merged;
}

/** The text of a message, its blocks apart. */
export function textOf({ parts }: Message): string {
  return parts.flatMap(({ part }) => (part.case === 'text' ? [part.value.text] : [])).join('\n\n');
}

/**
 * Servers parse the history and refuse all of it for one bad name or one argument that is no JSON. What a model got wrong
 * is therefore sent back in a form that they take; the model has read in the result what was wrong.
 */
export function wireName(tool: string): string {
  const name = tool.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
  return name === '' ? 'unnamed' : name;
}

/** Arguments as the text of a JSON object; see {@link wireName}. */
export function wireArguments(argumentsJson: string): string {
  return isJsonObject(argumentsJson) ? argumentsJson : JSON.stringify({ invalid_arguments: argumentsJson });
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
