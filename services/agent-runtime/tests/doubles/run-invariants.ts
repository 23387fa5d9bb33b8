import { expect } from 'vitest';
import { assertContext } from '../../src/domain/message/context.ts';
import { callsOf, type Message } from '../../src/domain/message/message.ts';
import type { RunEvent } from '../../src/domain/run/run-event.ts';
import type { RunOutcome } from '../../src/domain/run/run-outcome.ts';

/** What is left of a run that is over. */
export interface RunRecord {
  readonly history: readonly Message[];
  readonly journal: { readonly events: readonly RunEvent[]; readonly messages: readonly Message[] };
  readonly ended: readonly RunOutcome[];
  readonly time: { readonly pending: number };
}

/** What is true of every run, however it ended. */
export function assertRunInvariants({ history, journal, ended, time }: RunRecord): void {
  const { events, messages } = journal;
  expect(ended).toHaveLength(1);
  expect(time.pending, 'timers that are left').toBe(0);
  assertContext([...history, ...messages]);
  assertBlocksClosed(events, messages);
  assertSpansClosed(events);
  assertCallsAnswered(events, messages);
  expect(
    events.flatMap(({ data }) => (data.case === 'message' ? [data.value.messageId] : [])),
    'one MESSAGE for each row, in order',
  ).toEqual(messages.map(({ id }) => id));
}

/** Each block is opened once, grows without holes, is closed with its length, and its message is stored or abandoned. */
function assertBlocksClosed(events: readonly RunEvent[], messages: readonly Message[]): void {
  const open = new Map<string, { messageId: string; text: string }>();
  const closed = new Map<string, { messageId: string; text: string }>();
  const abandoned = new Set<string>();
  for (const { data } of events) {
    switch (data.case) {
      case 'textStart':
      case 'reasoningStart':
        open.set(data.value.blockId, { messageId: data.value.messageId, text: '' });
        break;
      case 'toolCallStart':
        open.set(data.value.callId, { messageId: data.value.messageId, text: '' });
        break;
      case 'textDelta':
      case 'reasoningDelta':
        grow(open.get(data.value.blockId), data.value);
        break;
      case 'toolCallDelta':
        grow(open.get(data.value.callId), data.value);
        break;
      case 'textEnd':
      case 'reasoningEnd':
        expect(Number(data.value.length)).toBe(Buffer.byteLength(open.get(data.value.blockId)?.text ?? '?'));
        close(data.value.blockId);
        break;
      case 'toolCallEnd':
        expect(data.value.argumentsJson).toBe(open.get(data.value.callId)?.text);
        close(data.value.callId);
        break;
      case 'messageAbandoned':
        expect(abandoned.has(data.value.messageId), 'abandoned once').toBe(false);
        abandoned.add(data.value.messageId);
        break;
      default:
        break;
    }
  }
  function close(id: string): void {
    const block = open.get(id);
    expect(block, `END of a block that is not open: ${id}`).toBeDefined();
    open.delete(id);
    closed.set(id, block ?? { messageId: '', text: '' });
  }
  expect([...open.keys()], 'blocks that are left open').toEqual([]);
  const stored = new Set(messages.map(({ id }) => id));
  for (const { messageId } of closed.values()) {
    expect(stored.has(messageId) !== abandoned.has(messageId), 'stored or abandoned').toBe(true);
  }
}

function grow(block: { text: string } | undefined, { offset, text }: { offset: bigint; text: string }): void {
  expect(Number(offset)).toBe(Buffer.byteLength(block?.text ?? '?'));
  expect(text.isWellFormed()).toBe(true);
  if (block !== undefined) {
    block.text += text;
  }
}

function assertSpansClosed(events: readonly RunEvent[]): void {
  const open = new Map<string, string>();
  for (const { span, data } of events) {
    if (data.case === 'spanStart') {
      open.set(span.id, data.value.name);
    } else if (data.case === 'spanEnd') {
      expect(open.delete(span.id), `END of a span that is not open: ${span.id}`).toBe(true);
      const children = events.filter(({ span: { par } }) => par === span.id).filter((event) => open.has(event.span.id));
      expect(children, 'children are closed before').toEqual([]);
    }
  }
  expect([...open.values()], 'spans that are left open').toEqual([]);
}

function assertCallsAnswered(events: readonly RunEvent[], messages: readonly Message[]): void {
  const asked = messages.flatMap(callsOf).map(({ callId }) => callId);
  const answered = events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value.callId] : []));
  expect(answered.toSorted(), 'one TOOL_RESULT for each stored call').toEqual(asked.toSorted());
}
