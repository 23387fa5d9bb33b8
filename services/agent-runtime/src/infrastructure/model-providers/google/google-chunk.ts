/** What a chunk of the stream may have. Nothing is certain, so each value is looked at where it is used. */
export interface WireChunk {
  readonly candidates?: readonly WireCandidate[] | null;
  readonly promptFeedback?: { readonly blockReason?: unknown } | null;
  readonly usageMetadata?: WireUsage | null;
  readonly error?: unknown;
}

export interface WireCandidate {
  readonly content?: { readonly parts?: unknown } | null;
  readonly finishReason?: unknown;
}

export interface WirePart {
  readonly text?: unknown;
  /** True when the text is a thought. */
  readonly thought?: unknown;
  /** Base64; comes back on the same part with the next call. */
  readonly thoughtSignature?: unknown;
  readonly functionCall?: { readonly name?: unknown; readonly args?: unknown } | null;
}

export interface WireUsage {
  readonly promptTokenCount?: unknown;
  readonly toolUsePromptTokenCount?: unknown;
  readonly candidatesTokenCount?: unknown;
  readonly thoughtsTokenCount?: unknown;
  readonly cachedContentTokenCount?: unknown;
}

/** Text of a field; empty when it has none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
