import { fromBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import type { StoredMessage } from '../domain/context/llm-context.ts';

/** A message as ListMessages tells it: its place, its dialogue and its time are the row's. */
export function toProtoMessage({ payload, seq, createdAtMs, threadId = '' }: StoredMessage) {
  const message = fromBinary(MessageSchema, payload);
  message.seq = BigInt(seq);
  message.threadId = threadId;
  message.createTime = timestampFromMs(createdAtMs);
  return message;
}
