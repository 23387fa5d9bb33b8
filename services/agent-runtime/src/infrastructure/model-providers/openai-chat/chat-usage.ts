import type { TokenUsage } from '../../../domain/model/token-usage.ts';

/** Tokens of one call beyond which a figure is nonsense: ten times the largest context window there is. */
const absurdTokens = 10_000_000;

/** `usage` of a chunk, as far as it can be relied on. */
export interface WireUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: unknown } | null;
}

/**
 * What the provider says it used. Figures that are missing or absurd are replaced by those of the estimate, parts that
 * are larger than the whole are clamped to it, and the usage is flagged as estimated.
 */
export function chatUsage(wire: WireUsage | undefined, estimate: TokenUsage): TokenUsage {
  if (wire === undefined) {
    return estimate;
  }
  const input = tokens(wire.prompt_tokens);
  const output = tokens(wire.completion_tokens);
  const inputTokens = input ?? estimate.inputTokens;
  const outputTokens = output ?? estimate.outputTokens;
  const cached = partOf(wire.prompt_tokens_details?.cached_tokens, inputTokens);
  const reasoning = partOf(wire.completion_tokens_details?.reasoning_tokens, outputTokens);
  return {
    provider: estimate.provider,
    model: estimate.model,
    inputTokens,
    outputTokens,
    cachedInputTokens: cached.tokens,
    reasoningTokens: reasoning.tokens,
    estimated: input === undefined || output === undefined || cached.isClamped || reasoning.isClamped,
  };
}

function tokens(value: unknown): bigint | undefined {
  const isFigure = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= absurdTokens;
  return isFigure ? BigInt(value) : undefined;
}

/** Details are optional: a provider that says nothing of them says zero. */
function partOf(value: unknown, whole: bigint): { readonly tokens: bigint; readonly isClamped: boolean } {
  if (value === undefined || value === null) {
    return { tokens: 0n, isClamped: false };
  }
  const part = tokens(value);
  if (part === undefined) {
    return { tokens: 0n, isClamped: true };
  }
  return part > whole ? { tokens: whole, isClamped: true } : { tokens: part, isClamped: false };
}
