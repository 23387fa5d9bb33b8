import { type AgentEvent, inThread } from '../domain/event/agent-event.ts';
import { type Delta, type DeltaCase, deltaData } from '../domain/event/delta.ts';
import { bytesAtMost } from '../domain/event/event-size.ts';

/** An event as it is shown to watchers. */
export interface Published {
  readonly event: AgentEvent;
  /** The same without its text, for those who have seen the text as live deltas. */
  readonly elided?: AgentEvent;
}

/** Where a session that is driven stands: what its driver has shown so far. */
export interface LivePosition {
  /** Seq of the last durable event that was shown. */
  readonly lastSeq: number;
  /** Per open block the text that was shown and is not stored yet, as live deltas. */
  readonly tails: readonly AgentEvent[];
}

/** Another live delta of the same run. Not a copy: an event from the wire has marks that would not fit new data. */
export function liveDelta(like: AgentEvent, deltaCase: DeltaCase, delta: Delta): AgentEvent {
  const { sessionId, runId, epoch, span, threadId } = like;
  return {
    seq: 0n,
    sessionId,
    runId,
    epoch,
    span,
    ...inThread(threadId),
    time: undefined,
    data: deltaData(deltaCase, delta),
  };
}

/** Which kind of delta an event is; undefined when it is none. */
export function deltaCaseOf({ data }: AgentEvent): DeltaCase | undefined {
  return data.case === 'textDelta' || data.case === 'reasoningDelta' || data.case === 'toolCallDelta'
    ? data.case
    : undefined;
}

/** Bytes that entries take on the wire, from above. */
export function bytesOf(entries: readonly Published[]): number {
  let bytes = 0;
  for (const { event } of entries) {
    bytes += bytesAtMost(event);
  }
  return bytes;
}
