import type OpenAI from 'openai';
import { type Message, type Part, role, type ToolResultPart } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import type { Tool } from '../../../domain/tool/tool.ts';
import { modelCapabilities } from '../wire/model-capabilities.ts';
import { decodeState } from '../wire/provider-state.ts';
import { wireArguments, wireName } from '../wire/wire-history.ts';

type Params = OpenAI.Responses.ResponseCreateParamsStreaming;
type WireItem = OpenAI.Responses.ResponseInputItem;

/**
 * The request as the responses API wants it. The server stores nothing: the whole dialogue is sent each time, and the
 * reasoning, which only the server can read, goes along encrypted.
 */
export function responsesRequest(
  { model, instructions, tools, messages, maxOutputTokens }: ModelRequest,
  providerId: string,
  asksForSummaries: boolean,
) {
  const params: Params = {
    model,
    instructions,
    input: messages.flatMap((message) => wireItems(message, providerId)),
    stream: true,
    store: false,
    max_output_tokens: maxOutputTokens,
    ...reasoningOf(model, asksForSummaries),
    ...(tools.length === 0 ? {} : { tools: tools.map(wireTool) }),
  };
  return params;
}

/** Models that do not reason refuse to be asked for it. One that is not known is taken to reason, as all new ones do. */
const unreasoning = /^(?:gpt-3|gpt-4|chatgpt-4)/;

function reasoningOf(model: string, asksForSummaries: boolean): Pick<Params, 'include' | 'reasoning'> {
  if (unreasoning.test(model)) {
    return {};
  }
  const isKnown = modelCapabilities(model).reasoning;
  return {
    include: ['reasoning.encrypted_content'],
    ...(asksForSummaries && isKnown ? { reasoning: { summary: 'auto' as const } } : {}),
  };
}

/** Not strict: a strict schema has no optional fields, and the tools' own schemas have. */
function wireTool({ name, description, inputSchema }: Tool): OpenAI.Responses.FunctionTool {
  return { type: 'function', name, description, parameters: { ...inputSchema }, strict: false };
}

function wireItems(message: Message, providerId: string): WireItem[] {
  return message.parts.flatMap(({ part }): WireItem[] => {
    switch (part.case) {
      case 'text':
        return [{ role: message.role === role.assistant ? 'assistant' : 'user', content: part.value.text }];
      case 'reasoning':
        return reasoningItem(part, providerId);
      case 'toolCall': {
        const { callId, tool, argumentsJson } = part.value;
        return [
          { type: 'function_call', call_id: callId, name: wireName(tool), arguments: wireArguments(argumentsJson) },
        ];
      }
      case 'toolResult':
        return [{ type: 'function_call_output', call_id: part.value.callId, output: outputOf(part.value) }];
      default:
        return [];
    }
  });
}

/** As it came. None when another provider's model reasoned: this server could not read it. */
function reasoningItem({ value }: Extract<Part['part'], { case: 'reasoning' }>, providerId: string): WireItem[] {
  const item = decodeState(providerId, value.providerState);
  return item === undefined ? [] : [item as OpenAI.Responses.ResponseReasoningItem];
}

function outputOf({ content }: ToolResultPart): string {
  return content.map((piece) => piece.content.value).join('\n');
}
