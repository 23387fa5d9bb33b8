import type OpenAI from 'openai';
import { type Message, role, type ToolCallPart } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import type { Tool } from '../../../domain/tool/tool.ts';

type Params = OpenAI.Chat.Completions.ChatCompletionCreateParamsStreaming;
type WireMessage = OpenAI.Chat.Completions.ChatCompletionMessageParam;

/**
 * The request as the chat completions API wants it: instructions, tools and history in an order that stays the same from
 * turn to turn. `isOpenAi`: OpenAI's own models refuse `max_tokens`, and other servers may know nothing else.
 */
export function chatRequest(
  { model, instructions, tools, messages, maxOutputTokens }: ModelRequest,
  isOpenAi: boolean,
) {
  const params: Params = {
    model,
    messages: [{ role: 'system', content: instructions }, ...wireMessages(messages)],
    stream: true,
    stream_options: { include_usage: true },
    ...(isOpenAi ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens }),
    ...(tools.length === 0 ? {} : { tools: tools.map(wireTool) }),
  };
  return params;
}

function wireTool({ name, description, inputSchema }: Tool): OpenAI.Chat.Completions.ChatCompletionTool {
  return { type: 'function', function: { name, description, parameters: { ...inputSchema } } };
}

function wireMessages(messages: readonly Message[]): WireMessage[] {
  return alternating(messages).flatMap((message): WireMessage[] => {
    switch (message.role) {
      case role.assistant:
        return assistantMessages(message);
      case role.tool:
        return toolMessages(message);
      default:
        return [{ role: 'user', content: textOf(message) }];
    }
  });
}

/** Chat templates of open models insist on alternating roles, and a cancelled run leaves two user messages in a row. */
function alternating(messages: readonly Message[]): readonly Message[] {
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

/** None when there is nothing that this API takes: reasoning is not sent back. */
function assistantMessages(message: Message): WireMessage[] {
  const content = textOf(message);
  const calls = message.parts.flatMap(({ part }) => (part.case === 'toolCall' ? [wireCall(part.value)] : []));
  if (calls.length > 0) {
    return [{ role: 'assistant', content: content === '' ? null : content, tool_calls: calls }];
  }
  return content === '' ? [] : [{ role: 'assistant', content }];
}

function toolMessages({ parts }: Message): WireMessage[] {
  return parts.flatMap(({ part }) => {
    if (part.case !== 'toolResult') {
      return [];
    }
    const content = part.value.content.map((piece) => piece.content.value).join('\n');
    return [{ role: 'tool' as const, tool_call_id: part.value.callId, content }];
  });
}

/**
 * Servers parse the history and refuse all of it for one bad name or one argument that is no JSON. What a model got wrong
 * is therefore sent back in a form that they take; the model has read in the result what was wrong.
 */
function wireCall({ callId, tool, argumentsJson }: ToolCallPart) {
  const name = tool.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
  return {
    id: callId,
    type: 'function' as const,
    function: {
      name: name === '' ? 'unnamed' : name,
      arguments: isJsonObject(argumentsJson) ? argumentsJson : JSON.stringify({ invalid_arguments: argumentsJson }),
    },
  };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function textOf({ parts }: Message): string {
  return parts.flatMap(({ part }) => (part.case === 'text' ? [part.value.text] : [])).join('\n\n');
}
