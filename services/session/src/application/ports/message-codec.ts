import type { OwnMessage } from '../../domain/context/llm-context.ts';

/** Encodes messages that the session itself writes into the context, as the contract says. */
export interface MessageCodec {
  encode(message: OwnMessage): Uint8Array;
}
