import type { RunId } from '@spanwise/kernel';
import type { ContextRow } from '../../src/domain/context/llm-context.ts';
import {
  type AgentEvent,
  type EventData,
  eventTime,
  role,
  spanStatus,
  type UnplacedEvent,
} from '../../src/domain/event/agent-event.ts';
import { deltaOf } from '../../src/domain/event/delta.ts';

/** What runs say, as short as tests want it. Durable events have a time, deltas none. */

const span = { id: '00000000000000f1', par: '' };
const atMs = 1_800_000_000_000;

export function durable(data: EventData): UnplacedEvent {
  return { span, time: eventTime(atMs), data };
}

export const textStart = (blockId: string, messageId = `m-${blockId}`) =>
  durable({ case: 'textStart', value: { blockId, messageId } });
export const textEnd = (blockId: string, length: number) =>
  durable({ case: 'textEnd', value: { blockId, length: BigInt(length) } });
export const reasoningStart = (blockId: string, messageId = `m-${blockId}`) =>
  durable({ case: 'reasoningStart', value: { blockId, messageId } });
export const callStart = (callId: string, messageId: string) =>
  durable({ case: 'toolCallStart', value: { callId, tool: 'read', messageId } });
export const callEnd = (callId: string, argumentsJson = '{}') =>
  durable({ case: 'toolCallEnd', value: { callId, argumentsJson } });
export const message = (messageId: string, role: number, contextSeq = 0n) =>
  durable({ case: 'message', value: { messageId, role, contextSeq } });
export const assistantMessage = (messageId: string) => message(messageId, role.assistant);
export const abandoned = (messageId: string) => durable({ case: 'messageAbandoned', value: { messageId, reason: 1 } });
export const result = (callId: string, text = 'done') => durable({ case: 'toolResult', value: resultOf(callId, text) });
export const attempt = (number: number) => durable({ case: 'runAttempt', value: { attempt: number, reason: 1 } });
export const waiting = () => durable({ case: 'runWaiting', value: { interrupts: [] } });
export const answered = () => durable({ case: 'interruptAnswered', value: { answer: undefined } });
export const resultOf = (callId: string, value: string) => ({
  callId,
  outcome: 1,
  content: [{ content: { case: 'text' as const, value } }],
  structuredJson: '',
  code: '',
});

export function textDelta(blockId: string, offset: number, text: string): UnplacedEvent {
  return {
    span,
    data: { case: 'textDelta', value: { blockId, offset: BigInt(offset), text, elidedBytes: 0n } },
  };
}

export function callDelta(callId: string, offset: number, text: string): UnplacedEvent {
  return { span, data: { case: 'toolCallDelta', value: { callId, offset: BigInt(offset), text, elidedBytes: 0n } } };
}

export function spanStart(id: string, par = '', attributes: Record<string, string> = {}, ms = atMs, kind = 2) {
  const value = { kind, name: `turn ${id}`, traceId: 'c'.repeat(32), attributes, service: 'agent-runtime' };
  return { span: { id, par }, time: eventTime(ms), data: { case: 'spanStart', value } } satisfies UnplacedEvent;
}

export function spanEnd(id: string, par = '', ms = atMs): UnplacedEvent {
  const value = { status: spanStatus.ok, errorType: '', attributes: {} };
  return { span: { id, par }, time: eventTime(ms), data: { case: 'spanEnd', value } };
}

/** An event in one line: its seq, its case and what tells it from others of its case. */
export function brief({ seq, data }: Pick<AgentEvent, 'seq' | 'data'>): string {
  const place = seq === 0n ? 'live' : String(seq);
  const delta = deltaOf(data);
  if (delta !== undefined && data.value !== undefined && 'elidedBytes' in data.value) {
    const { elidedBytes } = data.value;
    return `${place} ${data.case} ${delta.blockId}+${delta.offset} ${elidedBytes > 0n ? `(${elidedBytes})` : delta.text}`;
  }
  return `${place} ${data.case}`;
}

/** A row of the model context, as a checkpoint brings it. */
export function contextRow(messageId: string, runId: RunId, role: number): ContextRow {
  return { messageId, runId, role, tokens: 1, payload: new Uint8Array([1]) };
}
