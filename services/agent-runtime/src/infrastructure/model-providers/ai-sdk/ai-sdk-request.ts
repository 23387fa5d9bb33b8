import type {
  JSONSchema7,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider';
import { callsOf, type Message, role, type ToolResultPart, toolOutcome } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import type { Tool } from '../../../domain/tool/tool.ts';
import { alternating, wireArguments, wireName } from '../wire/wire-history.ts';
import { keptMetadata } from './ai-sdk-state.ts';

type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'];

/** The request as a language model of the AI SDK wants it. */
export function aiSdkRequest(
  { model, instructions, tools, messages, maxOutputTokens }: ModelRequest,
  providerId: string,
  abortSignal: AbortSignal,
): LanguageModelV4CallOptions {
  const names = new Map(messages.flatMap(callsOf).map(({ callId, tool }) => [callId, wireName(tool)]));
  const dialogue = alternating(messages).flatMap((message): LanguageModelV4Message[] => {
    switch (message.role) {
      case role.assistant: {
        const content = assistantContent(message, providerId, model);
        return content.length === 0 ? [] : [{ role: 'assistant', content }];
      }
      case role.tool:
        return [{ role: 'tool', content: toolResults(message, names) }];
      default:
        return [{ role: 'user', content: texts(message) }];
    }
  });
  return {
    prompt: [{ role: 'system', content: instructions }, ...dialogue],
    maxOutputTokens,
    abortSignal,
    ...(tools.length === 0 ? {} : { tools: tools.map(wireTool), toolChoice: { type: 'auto' } }),
  };
}

function wireTool({ name, description, inputSchema }: Tool): LanguageModelV4FunctionTool {
  return { type: 'function', name, description, inputSchema: inputSchema as JSONSchema7 };
}

function texts({ parts }: Message): { type: 'text'; text: string }[] {
  return parts.flatMap(({ part }) => (part.case === 'text' ? [{ type: 'text' as const, text: part.value.text }] : []));
}

/** What the model said, with its metadata on the parts that they came on; reasoning without any is not sent back. */
function assistantContent({ parts }: Message, providerId: string, model: string): AssistantContent {
  const content: AssistantContent = [];
  for (const { part } of parts) {
    if (part.case === 'text') {
      content.push({ type: 'text', text: part.value.text });
    } else if (part.case === 'toolCall') {
      const { callId, tool, argumentsJson } = part.value;
      const input: unknown = JSON.parse(wireArguments(argumentsJson));
      content.push({ type: 'tool-call', toolCallId: callId, toolName: wireName(tool), input });
    } else if (part.case === 'reasoning') {
      const kept = keptMetadata(providerId, model, part.value.providerState);
      if (kept?.on === 'reasoning') {
        content.push({ type: 'reasoning', text: part.value.text, providerOptions: kept.metadata });
      } else if (kept !== undefined) {
        const owner = kept.on === 'call' ? content.filter(isCall)[kept.place] : content.at(-1);
        Object.assign(owner ?? {}, { providerOptions: kept.metadata });
      }
    }
  }
  return content;
}

function isCall({ type }: AssistantContent[number]): boolean {
  return type === 'tool-call';
}

function toolResults({ parts }: Message, names: ReadonlyMap<string, string>): LanguageModelV4ToolResultPart[] {
  return parts.flatMap(({ part }) => (part.case === 'toolResult' ? [toolResult(part.value, names)] : []));
}

function toolResult(
  { callId, outcome, content }: ToolResultPart,
  names: ReadonlyMap<string, string>,
): LanguageModelV4ToolResultPart {
  const value = content.map((piece) => piece.content.value).join('\n');
  return {
    type: 'tool-result',
    toolCallId: callId,
    toolName: names.get(callId) ?? 'unnamed',
    output: { type: outcome === toolOutcome.ok ? 'text' : 'error-text', value },
  };
}
