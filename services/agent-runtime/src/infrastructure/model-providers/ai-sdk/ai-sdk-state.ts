import type { SharedV4ProviderMetadata } from '@ai-sdk/provider';
import { decodeState, encodeState } from '../wire/provider-state.ts';

/**
 * Metadata of a provider, and the part that it came on; they go back as that part's options. They are kept in a block of
 * reasoning: in that of the reasoning itself, or in an empty one after the text or the call.
 */
export type KeptMetadata =
  | { readonly on: 'reasoning' | 'text'; readonly metadata: SharedV4ProviderMetadata }
  /** The call of this place among the calls of the answer, from 0: they may be streamed side by side. */
  | { readonly on: 'call'; readonly place: number; readonly metadata: SharedV4ProviderMetadata };

/** `model` is the name under which the model is configured: another one may be another provider's. */
export function keepMetadata(providerId: string, model: string, kept: KeptMetadata): Uint8Array {
  return encodeState(`${providerId}:${model}`, kept);
}

/** Undefined when there is none, or another model's. */
export function keptMetadata(providerId: string, model: string, state: Uint8Array): KeptMetadata | undefined {
  return decodeState(`${providerId}:${model}`, state) as KeptMetadata | undefined;
}
