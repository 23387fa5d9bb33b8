/** What an event of the stream may have. Nothing is certain, so each value is looked at where it is used. */
export interface WireEvent {
  readonly type?: unknown;
  readonly item_id?: unknown;
  readonly output_index?: unknown;
  readonly delta?: unknown;
  /** The whole text, when a part of an item is done. */
  readonly text?: unknown;
  readonly refusal?: unknown;
  /** The whole arguments, when they are done. */
  readonly arguments?: unknown;
  readonly item?: WireItem | null;
  readonly response?: WireResponse | null;
  readonly error?: unknown;
}

/** One thing that the model said: a message, reasoning or a call. */
export interface WireItem {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly arguments?: unknown;
  readonly encrypted_content?: unknown;
}

export interface WireResponse {
  readonly status?: unknown;
  readonly usage?: WireUsage | null;
  readonly error?: unknown;
  readonly incomplete_details?: { readonly reason?: unknown } | null;
}

export interface WireUsage {
  readonly input_tokens?: unknown;
  readonly output_tokens?: unknown;
  readonly input_tokens_details?: { readonly cached_tokens?: unknown } | null;
  readonly output_tokens_details?: { readonly reasoning_tokens?: unknown } | null;
}

/** Text of a field; empty when it has none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
