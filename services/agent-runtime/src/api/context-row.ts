import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type ContextRow, ContextRowSchema } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import type { Message } from '../domain/message/message.ts';
import { estimateTokens } from '../domain/message/token-estimate.ts';

/** A message on its way into the model context: encoded, and its tokens counted, once for all its life. */
export function contextRow(message: Message, threadId = ''): ContextRow {
  // The domain's messages are readonly, and those of the contract, which have the same shape, are not.
  const encoded = toBinary(MessageSchema, create(MessageSchema, message as MessageInitShape<typeof MessageSchema>));
  return create(ContextRowSchema, { message: encoded, role: message.role, tokens: estimateTokens(message), threadId });
}
