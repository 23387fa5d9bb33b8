import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { MessageSchema, type PartSchema, Role } from '@spanwise/contracts/spanwise/type/v1/message';
import type { MessageCodec } from '../../application/ports/message-codec.ts';
import type { OwnMessage } from '../../domain/context/llm-context.ts';

type Parts = MessageInitShape<typeof PartSchema>[];

/** Messages of the session as `spanwise.type.v1.Message`. */
export const protoMessageCodec: MessageCodec = {
  encode(message) {
    const { id, runId } = message;
    const role = message.role === 'user' ? Role.USER : Role.TOOL;
    return toBinary(MessageSchema, create(MessageSchema, { id, runId, role, parts: partsOf(message) }));
  },
};

function partsOf(message: OwnMessage): Parts {
  return message.role === 'user'
    ? message.texts.map((text) => ({ part: { case: 'text', value: { text } } }))
    : message.results.map((value) => ({ part: { case: 'toolResult', value } }) as Parts[number]);
}
