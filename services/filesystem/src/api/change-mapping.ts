import { createHash } from 'node:crypto';
import { type DescMessage, type Message, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type ChangeSource, highestFence } from '../domain/change/change.ts';

/** The fields that every request for a change has. */
interface ChangeMessage extends Message {
  readonly epoch: bigint;
  readonly idempotencyKey: string;
}

/** An epoch beyond all that are given out is as good as the highest. */
export function epochOf(epoch: bigint): number {
  return epoch > BigInt(highestFence) ? highestFence : Number(epoch);
}

/** Who asks for a change. A request is the same as another one when all its fields but the epoch are. */
export function toChangeSource<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema> & ChangeMessage,
): ChangeSource {
  const { epoch, idempotencyKey: key } = message;
  return { epoch: epochOf(epoch), once: key === '' ? undefined : { key, requestHash: hashOf(schema, message) } };
}

function hashOf<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema> & ChangeMessage): string {
  const withoutEpoch = { ...message, epoch: 0n };
  return createHash('sha256').update(schema.typeName).update(toBinary(schema, withoutEpoch)).digest('hex');
}
