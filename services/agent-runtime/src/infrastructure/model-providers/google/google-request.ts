import type { Content, FunctionDeclaration, GenerateContentParameters, Part as WirePart } from '@google/genai/web';
import {
  callsOf,
  type Message,
  role,
  type ToolCallPart,
  type ToolResultPart,
  toolOutcome,
} from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import type { Tool } from '../../../domain/tool/tool.ts';
import { modelCapabilities } from '../wire/model-capabilities.ts';
import { alternating, wireArguments, wireName } from '../wire/wire-history.ts';
import { keptSignature } from './thought-signature.ts';

/**
 * What Gemini 3 takes in place of the signature of a call that another model made; without one it refuses the dialogue.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const noSignature = 'skip_thought_signature_validator';

/** The request as `generateContentStream` wants it; instructions, tools and history stay the same from turn to turn. */
export function googleRequest(
  { model, instructions, tools, messages, maxOutputTokens }: ModelRequest,
  providerId: string,
  asksForThoughts: boolean,
): GenerateContentParameters {
  const isThinking = asksForThoughts && modelCapabilities(model).reasoning;
  return {
    model,
    contents: wireContents(messages, providerId, model.includes('gemini-3')),
    config: {
      systemInstruction: instructions,
      maxOutputTokens,
      // It would ask again by itself when an answer breaks: the one retry layer is the application's.
      automaticContinuation: false,
      automaticFunctionCalling: { disable: true },
      ...(isThinking ? { thinkingConfig: { includeThoughts: true } } : {}),
      ...(tools.length === 0 ? {} : { tools: [{ functionDeclarations: tools.map(wireTool) }] }),
    },
  };
}

function wireTool({ name, description, inputSchema }: Tool): FunctionDeclaration {
  return { name, description, parametersJsonSchema: inputSchema };
}

function wireContents(messages: readonly Message[], providerId: string, needsSignatures: boolean): Content[] {
  const names = new Map(messages.flatMap(callsOf).map(({ callId, tool }) => [callId, wireName(tool)]));
  return alternating(messages).flatMap((message): Content[] => {
    const isModel = message.role === role.assistant;
    const parts = isModel ? modelParts(message, providerId, needsSignatures) : userParts(message, names);
    return parts.length === 0 ? [] : [{ role: isModel ? 'model' : 'user', parts }];
  });
}

function userParts({ parts }: Message, names: ReadonlyMap<string, string>): WirePart[] {
  return parts.flatMap(({ part }): WirePart[] => {
    switch (part.case) {
      case 'text':
        return [{ text: part.value.text }];
      case 'toolResult':
        return [wireResult(part.value, names)];
      default:
        return [];
    }
  });
}

function wireResult({ callId, outcome, content }: ToolResultPart, names: ReadonlyMap<string, string>): WirePart {
  const said = content.map((piece) => piece.content.value).join('\n');
  const response = outcome === toolOutcome.ok ? { output: said } : { error: said };
  return { functionResponse: { id: callId, name: names.get(callId) ?? 'unnamed', response } };
}

/** What the model said, with each signature on the part that it came on; thoughts without one are not sent back. */
function modelParts(message: Message, providerId: string, needsSignatures: boolean): WirePart[] {
  const parts: WirePart[] = [];
  let ofNextCall: string | undefined;
  for (const { part } of message.parts) {
    if (part.case === 'text') {
      parts.push({ text: part.value.text });
    } else if (part.case === 'toolCall') {
      parts.push(signed(wireCall(part.value), ofNextCall));
      ofNextCall = undefined;
    } else if (part.case === 'reasoning') {
      const kept = keptSignature(providerId, part.value.providerState);
      if (kept?.on === 'call') {
        ofNextCall = kept.signature;
      } else if (kept?.on === 'thought') {
        parts.push(signed({ text: part.value.text, thought: true }, kept.signature));
      } else if (kept?.on === 'text') {
        parts.push(signed(parts.pop() ?? { text: '' }, kept.signature));
      } else if (kept?.on === 'empty-text') {
        parts.push(signed({ text: '' }, kept.signature));
      }
    }
  }
  return needsSignatures ? withFirstCallSigned(parts) : parts;
}

/** Of calls side by side only the first one has a signature. */
function withFirstCallSigned(parts: readonly WirePart[]): WirePart[] {
  const first = parts.findIndex(({ functionCall }) => functionCall !== undefined);
  return parts.map((part, index) =>
    index === first && part.thoughtSignature === undefined ? signed(part, noSignature) : part,
  );
}

function signed(part: WirePart, signature: string | undefined): WirePart {
  return signature === undefined ? part : { ...part, thoughtSignature: signature };
}

function wireCall({ callId, tool, argumentsJson }: ToolCallPart): WirePart {
  const args = JSON.parse(wireArguments(argumentsJson)) as Record<string, unknown>;
  return { functionCall: { id: callId, name: wireName(tool), args } };
}
