/**
 * What a chunk of the stream may have. Nothing is certain: many servers speak this protocol, each a little differently,
 * and a schema check of every chunk would cost more than all the rest. So each value is looked at where it is used.
 */
export interface WireChunk {
  readonly object?: unknown;
  readonly error?: unknown;
  readonly choices?: readonly WireChoice[] | null;
  readonly usage?: WireUsage | null;
}

export interface WireChoice {
  readonly delta?: WireDelta | null;
  readonly finish_reason?: unknown;
}

export interface WireDelta {
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly tool_calls?: unknown;
}

export interface WireCall {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown } | null;
}

/** Text of a field; empty when it has none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `usage` of a chunk. */
export interface WireUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: unknown } | null;
}
