import { invariantBroken } from '@spanwise/kernel';
import type { ModelPart } from './model-part.ts';
import type { ModelRequest } from './model-request.ts';

/** What a model can do, as far as its provider knows. */
export interface ModelCapabilities {
  readonly tools: boolean;
  readonly parallelTools: boolean;
  readonly vision: boolean;
  readonly reasoning: boolean;
  readonly jsonSchema: boolean;
  /** Tokens of input and output together. */
  readonly contextWindow: number;
  /** Tokens of one answer. */
  readonly maxOutput: number;
}

/**
 * The dialect of one kind of model API. It never retries, keeps nothing between calls and takes a request as valid.
 *
 * Errors of `stream`: MODEL_UNAVAILABLE, MODEL_RATE_LIMITED, MODEL_REJECTED, and STREAM_INCOMPLETE when the stream ends
 * without a `finish`. When `signal` is aborted it closes the connection and throws the signal's reason.
 */
export interface ModelProvider {
  /** Stable name, for example `openai-chat`. */
  readonly id: string;
  capabilities(model: string): ModelCapabilities;
  stream(request: ModelRequest, options: { readonly signal: AbortSignal }): AsyncIterable<ModelPart>;
}

/** A model, and who serves it. */
export interface ChosenModel {
  readonly provider: ModelProvider;
  readonly model: string;
}

/**
 * Who serves a model: the provider whose id stands before a colon, as in `scripted:demo`; otherwise the first one, to
 * which the whole name is sent.
 */
export function chooseModel(providers: readonly ModelProvider[], name: string): ChosenModel {
  const colon = name.indexOf(':');
  const named = providers.find(({ id }) => id === name.slice(0, Math.max(0, colon)));
  if (named !== undefined) {
    return { provider: named, model: name.slice(colon + 1) };
  }
  const [first] = providers;
  if (first === undefined) {
    throw invariantBroken('no model provider is configured');
  }
  return { provider: first, model: name };
}
