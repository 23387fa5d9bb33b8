import { decodeState, encodeState } from '../wire/provider-state.ts';

/**
 * A signature and the part that it came on. It is kept in a block of reasoning: in that of the thought, in an empty one
 * before the call, or in an empty one after the text.
 */
export interface ThoughtSignature {
  readonly on: 'thought' | 'text' | 'empty-text' | 'call';
  /** As it came: base64. */
  readonly signature: string;
}

export function keepSignature(providerId: string, kept: ThoughtSignature): Uint8Array {
  return encodeState(providerId, kept);
}

/** Undefined when there is none, or another provider's. */
export function keptSignature(providerId: string, state: Uint8Array): ThoughtSignature | undefined {
  return decodeState(providerId, state) as ThoughtSignature | undefined;
}
