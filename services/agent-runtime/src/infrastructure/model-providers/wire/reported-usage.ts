import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { TokenUsage } from '../../../domain/model/token-usage.ts';

/** Tokens of one call beyond which a figure is nonsense: ten times the largest context window there is. */
const absurdTokens = 10_000_000;

/** What a provider reports, figure by figure, as far as it can be relied on. */
export interface ReportedFigures {
  /** Cached ones included. */
  readonly input: unknown;
  /** Reasoning included. */
  readonly output: unknown;
  readonly cached: unknown;
  readonly reasoning: unknown;
}

/**
 * What the provider says it used. Figures that are missing or absurd are replaced by those of the estimate, parts that
 * are larger than the whole are clamped to it, and the usage is flagged as estimated.
 */
export function reportedUsage(figures: ReportedFigures | undefined, estimate: TokenUsage): TokenUsage {
  if (figures === undefined) {
    return estimate;
  }
  const input = tokens(figures.input);
  const output = tokens(figures.output);
  const inputTokens = input ?? estimate.inputTokens;
  const outputTokens = output ?? estimate.outputTokens;
  const cached = partOf(figures.cached, inputTokens);
  const reasoning = partOf(figures.reasoning, outputTokens);
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

/** Characters that the parts say, for an estimate. */
export function lengthOf(parts: readonly ModelPart[]): number {
  let length = 0;
  for (const part of parts) {
    length += 'text' in part ? part.text.length : 0;
  }
  return length;
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
