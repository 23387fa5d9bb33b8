import type { AgentEvent, BlockDelta, EventData, ToolCallDelta, UnplacedEvent } from './agent-event.ts';

/** A piece of a block, whatever the block is. */
export interface Delta {
  readonly blockId: string;
  /** Where `text` begins, in UTF-8 bytes of the block. */
  readonly offset: number;
  readonly text: string;
}

/** The three kinds of events that carry text of a block. */
export type DeltaCase = 'textDelta' | 'reasoningDelta' | 'toolCallDelta';

/** What an event adds to a block; undefined when it is no delta. */
export function deltaOf(data: EventData): Delta | undefined {
  switch (data.case) {
    case 'textDelta':
    case 'reasoningDelta':
      return { blockId: data.value.blockId, offset: Number(data.value.offset), text: data.value.text };
    case 'toolCallDelta':
      return { blockId: data.value.callId, offset: Number(data.value.offset), text: data.value.text };
    default:
      return undefined;
  }
}

/** Which kind of delta belongs to a block that an event opens; undefined when it opens none. */
export function openedBlock(data: EventData): { readonly blockId: string; readonly deltaCase: DeltaCase } | undefined {
  switch (data.case) {
    case 'textStart':
      return { blockId: data.value.blockId, deltaCase: 'textDelta' };
    case 'reasoningStart':
      return { blockId: data.value.blockId, deltaCase: 'reasoningDelta' };
    case 'toolCallStart':
      return { blockId: data.value.callId, deltaCase: 'toolCallDelta' };
    default:
      return undefined;
  }
}

/** Id of the block that an event closes; undefined when it closes none. */
export function closedBlock(data: EventData): string | undefined {
  switch (data.case) {
    case 'textEnd':
    case 'reasoningEnd':
      return data.value.blockId;
    case 'toolCallEnd':
      return data.value.callId;
    default:
      return undefined;
  }
}

/** Makes the data of a delta. */
export function deltaData(deltaCase: DeltaCase, { blockId, offset, text }: Delta): EventData {
  const common = { offset: BigInt(offset), text, elidedBytes: 0n };
  return deltaCase === 'toolCallDelta'
    ? { case: deltaCase, value: { callId: blockId, ...common } satisfies ToolCallDelta }
    : { case: deltaCase, value: { blockId, ...common } satisfies BlockDelta };
}

/** The same delta without its text, for those who have seen it: it only tells how many bytes it had. */
export function elided(event: AgentEvent, bytes: number): AgentEvent {
  const { data } = event;
  const shortened = { text: '', elidedBytes: BigInt(bytes) };
  switch (data.case) {
    case 'textDelta':
    case 'reasoningDelta':
      return { ...event, data: { case: data.case, value: { ...data.value, ...shortened } } };
    case 'toolCallDelta':
      return { ...event, data: { case: data.case, value: { ...data.value, ...shortened } } };
    default:
      return event;
  }
}

const encoder = new TextEncoder();

/** Length in UTF-8 bytes. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/** Whether an event is shown without a place in the log. */
export function isLiveDelta({ data }: UnplacedEvent): boolean {
  return data.case === 'textDelta' || data.case === 'reasoningDelta' || data.case === 'toolCallDelta';
}

/** True for RUN_END and RUN_ERROR. */
export function isTerminal({ data }: UnplacedEvent): boolean {
  return data.case === 'runEnd' || data.case === 'runError';
}
