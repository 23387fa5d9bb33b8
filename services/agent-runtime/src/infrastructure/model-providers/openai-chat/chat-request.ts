import type OpenAI from 'openai';
import { type Message, role, type ToolCallPart } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import type { Tool } from '../../../domain/tool/tool.ts';
import { alternating, textOf, wireArguments, wireName } from '../wire/wire-history.ts';

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

function wireCall({ callId, tool, argumentsJson }: ToolCallPart) {
  return {
    id: callId,
    type: 'function' as const,
    function: { name: wireName(tool), arguments: wireArguments(argumentsJson) },
  };
}
