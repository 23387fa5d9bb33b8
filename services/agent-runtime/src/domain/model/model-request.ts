import type { Message } from '../message/message.ts';
import { estimateTokens, tokensOfBytes } from '../message/token-estimate.ts';
import type { Tool } from '../tool/tool.ts';
import type { TokenUsage } from './token-usage.ts';

/** One question to a model. What stays the same from turn to turn comes first, so that prompt caches hit. */
export interface ModelRequest {
  /** Name that the provider knows. */
  readonly model: string;
  readonly instructions: string;
  /** Sorted by name. */
  readonly tools: readonly Tool[];
  /** The dialogue, oldest first; valid by `assertAskable`. */
  readonly messages: readonly Message[];
  readonly maxOutputTokens: number;
}

/** What a call is taken to have used when its provider does not say, or says nonsense. */
export function estimateUsage(provider: string, request: ModelRequest, outputBytes: number): TokenUsage {
  const { model, instructions, tools, messages } = request;
  const fixed = tokensOfBytes(instructions.length + tools.reduce((sum, tool) => sum + tool.description.length, 0));
  const inputTokens = messages.reduce((sum, message) => sum + estimateTokens(message), fixed);
  return {
    provider,
    model,
    inputTokens: BigInt(inputTokens),
    outputTokens: BigInt(tokensOfBytes(outputBytes)),
    cachedInputTokens: 0n,
    reasoningTokens: 0n,
    estimated: true,
  };
}
