/** What one or more model calls used; `spanwise.type.v1.TokenUsage`. */
export interface TokenUsage {
  /** Id of the provider; empty in sums. */
  readonly provider: string;
  /** As sent to the provider; empty in sums. */
  readonly model: string;
  /** Cached ones included. */
  readonly inputTokens: bigint;
  /** Reasoning included. */
  readonly outputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly reasoningTokens: bigint;
  /** The provider reported none, or absurd figures. */
  readonly estimated: boolean;
}

export const noUsage: TokenUsage = {
  provider: '',
  model: '',
  inputTokens: 0n,
  outputTokens: 0n,
  cachedInputTokens: 0n,
  reasoningTokens: 0n,
  estimated: false,
};

/** Sum over model calls; estimated as soon as one of them is. */
export function addUsage(sum: TokenUsage, more: TokenUsage): TokenUsage {
  return {
    provider: '',
    model: '',
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    cachedInputTokens: sum.cachedInputTokens + more.cachedInputTokens,
    reasoningTokens: sum.reasoningTokens + more.reasoningTokens,
    estimated: sum.estimated || more.estimated,
  };
}
