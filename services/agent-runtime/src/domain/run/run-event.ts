import type { ExecSpan } from '@spanwise/kernel';
import type { Role, ToolResultPart } from '../message/message.ts';
import type { TokenUsage } from '../model/token-usage.ts';
import type { Interrupt } from './interrupt.ts';

/**
 * What a run tells its watchers. The shape is that of `spanwise.event.v1.AgentEvent` without what the driver adds, so that
 * the thousands of deltas a second need no translation.
 */
export interface RunEvent {
  /** Where in the execution tree it was said. */
  readonly span: ExecSpan;
  /** When; undefined on deltas. */
  readonly time?: EventTime;
  /** The delegate call whose agent said it; missing = the run's own. */
  readonly threadId?: string;
  readonly data: RunEventData;
}

/** As `google.protobuf.Timestamp`. */
export interface EventTime {
  readonly seconds: bigint;
  readonly nanos: number;
}

export function eventTime(ms: number): EventTime {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** The numbers are those of `spanwise.event.v1.SpanKind`, `SpanStatus` and `AbandonReason`. */
export const spanKind = { run: 1, turn: 2, model: 3, tool: 4, file: 5 } as const;
export const spanStatus = { ok: 1, error: 2, cancelled: 3, abandoned: 4 } as const;
export const abandonReason = { retry: 1, runEnded: 2 } as const;
export type AbandonReason = (typeof abandonReason)[keyof typeof abandonReason];

/** More text of a block; `offset` counts UTF-8 bytes and `text` never splits a code point. */
export interface BlockDelta {
  readonly blockId: string;
  readonly offset: bigint;
  readonly text: string;
}

export type RunEventData =
  | { readonly case: 'spanStart'; readonly value: SpanStartData }
  | { readonly case: 'spanEnd'; readonly value: SpanEndData }
  | { readonly case: 'textStart'; readonly value: BlockStart & { readonly role: Role } }
  | { readonly case: 'textDelta'; readonly value: BlockDelta }
  | { readonly case: 'textEnd'; readonly value: BlockEnd }
  | { readonly case: 'reasoningStart'; readonly value: BlockStart }
  | { readonly case: 'reasoningDelta'; readonly value: BlockDelta }
  | { readonly case: 'reasoningEnd'; readonly value: BlockEnd }
  | { readonly case: 'toolCallStart'; readonly value: CallStart }
  | { readonly case: 'toolCallDelta'; readonly value: CallDelta }
  | { readonly case: 'toolCallEnd'; readonly value: { readonly callId: string; readonly argumentsJson: string } }
  | { readonly case: 'toolProgress'; readonly value: ToolProgressData }
  | { readonly case: 'toolResult'; readonly value: ToolResultPart }
  | { readonly case: 'message'; readonly value: MessageData }
  | { readonly case: 'messageAbandoned'; readonly value: AbandonedData }
  | { readonly case: 'interrupt'; readonly value: { readonly interrupt: Interrupt } }
  | { readonly case: 'usage'; readonly value: { readonly usage: TokenUsage } };

export interface SpanStartData {
  readonly kind: number;
  readonly name: string;
  readonly traceId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly service: string;
}

export interface SpanEndData {
  readonly status: number;
  readonly errorType: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface BlockStart {
  readonly blockId: string;
  readonly messageId: string;
}

export interface BlockEnd {
  readonly blockId: string;
  /** UTF-8 bytes of the block. */
  readonly length: bigint;
}

export interface CallStart {
  readonly callId: string;
  readonly tool: string;
  readonly messageId: string;
}

export interface CallDelta {
  readonly callId: string;
  readonly offset: bigint;
  readonly text: string;
}

export interface ToolProgressData {
  readonly callId: string;
  readonly progress: number;
  readonly total: number;
  readonly message: string;
}

export interface MessageData {
  readonly messageId: string;
  readonly role: Role;
  /** 0: the driver knows its place in the context. */
  readonly contextSeq: bigint;
}

export interface AbandonedData {
  readonly messageId: string;
  readonly reason: AbandonReason;
}
