import { create, fromBinary, isMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import type { AgentEvent } from '../../domain/event/agent-event.ts';

/** The bytes of an event, as the contract says. */
export function encodeEvent(event: AgentEvent): Uint8Array {
  const message = isMessage(event, AgentEventSchema)
    ? event
    : create(AgentEventSchema, event as MessageInitShape<typeof AgentEventSchema>);
  return toBinary(AgentEventSchema, message);
}

export function decodeEvent(bytes: Uint8Array): AgentEvent {
  return fromBinary(AgentEventSchema, bytes);
}
