import { expect } from 'vitest';
import { assertContext } from '../../src/domain/message/context.ts';
import { callsOf, type Message } from '../../src/domain/message/message.ts';
import type { RunEvent } from '../../src/domain/run/run-event.ts';
import type { RunOutcome } from '../../src/domain/run/run-outcome.ts';
import type { MemoryJournal } from './memory-journal.ts';

/** What is left of a dispatch. */
export interface DispatchRecord {
  readonly journal: Pick<MemoryJournal, 'events' | 'messages' | 'checkpoints' | 'isGone' | 'thread'>;
  readonly ended: readonly RunOutcome[];
}

/** What is left of a run whose last dispatch is over. */
export interface RunRecord {
  /** The dialogue that the last dispatch was told. */
  readonly history: readonly Message[];
  /** Oldest first. */
  readonly dispatches: readonly DispatchRecord[];
  readonly time: { readonly pending: number };
}

/** What is true of every run, in however many dispatches and however it ended. */
export function assertRunInvariants({ history, dispatches, time }: RunRecord): void {
  expect(time.pending, 'timers that are left').toBe(0);
  assertContext([...history, ...(dispatches.at(-1)?.journal.messages ?? [])]);
  threadsOf(dispatches).forEach((threadId) => assertContext(threadMessages(dispatches, threadId)));
  for (const { journal, ended } of dispatches) {
    const { events, checkpoints } = journal;
    const messages = checkpoints.flatMap((checkpoint) => checkpoint.messages);
    expect(ended).toHaveLength(1);
    // What the dispatch that follows is told to take as abandoned.
    const isLeft =
      journal.isGone ||
      ended.some((end) => end.ended === 'fenced' || (end.ended === 'yielded' && end.why === 'detached'));
    assertBlocksClosed(events, messages, isLeft);
    assertSpansClosed(events, isLeft);
    expect(
      events.flatMap(({ data }) => (data.case === 'message' ? [data.value.messageId] : [])),
      'one MESSAGE for each row, in order',
    ).toEqual(messages.map(({ id }) => id));
    expect(
      events.flatMap(({ data, threadId = '' }) => (data.case === 'message' ? [threadId] : [])),
      'in the dialogue of the row',
    ).toEqual(checkpoints.flatMap(({ messages: rows, threadId = '' }) => rows.map(() => threadId)));
  }
  assertCallsAnswered(history, dispatches);
  assertSpecs(dispatches);
}

/** Each block is opened once, grows without holes, is closed with its length, and its message is stored or abandoned. */
function assertBlocksClosed(events: readonly RunEvent[], messages: readonly Message[], isLeft: boolean): void {
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
  if (isLeft) {
    return;
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

function assertSpansClosed(events: readonly RunEvent[], isLeft: boolean): void {
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
  if (!isLeft) {
    expect([...open.values()], 'spans that are left open').toEqual([]);
  }
}

/** One TOOL_RESULT a stored call over all dispatches, or none yet while the run goes on. */
function assertCallsAnswered(history: readonly Message[], dispatches: readonly DispatchRecord[]): void {
  const events = dispatches.flatMap(({ journal }) => journal.events);
  const messages = [
    ...history,
    ...(dispatches.at(-1)?.journal.messages ?? []),
    ...threadsOf(dispatches).flatMap((threadId) => threadMessages(dispatches, threadId)),
  ];
  const asked = messages.flatMap(callsOf).map(({ callId }) => callId);
  const answered = events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value.callId] : []));
  const last = dispatches.at(-1);
  const end = last?.ended[0]?.ended;
  if (end === 'yielded' || end === 'fenced' || last?.journal.isGone === true) {
    expect(answered.length, 'no call is answered twice').toBe(new Set(answered).size);
    expect(asked, 'only stored calls are answered').toEqual(expect.arrayContaining(answered));
  } else {
    expect(answered.toSorted(), 'one TOOL_RESULT for each stored call').toEqual(asked.toSorted());
  }
  const started = events.flatMap(({ data }) => (data.case === 'toolCallStart' ? [data.value.callId] : []));
  expect(started.length, 'no call is started twice').toBe(new Set(started).size);
}

/** The delegate calls that have a dialogue. */
function threadsOf(dispatches: readonly DispatchRecord[]): readonly string[] {
  const all = dispatches.flatMap(({ journal }) => journal.checkpoints.map(({ threadId = '' }) => threadId));
  return [...new Set(all.filter((threadId) => threadId !== ''))];
}

function threadMessages(dispatches: readonly DispatchRecord[], threadId: string): readonly Message[] {
  return dispatches.flatMap(({ journal }) => journal.thread(threadId));
}

/** The specification comes with the first checkpoint of a run, and never again. */
function assertSpecs(dispatches: readonly DispatchRecord[]): void {
  const has = dispatches.flatMap(({ journal }) => journal.checkpoints.map(({ spec }) => spec !== undefined));
  expect(has.slice(1), 'specifications that were told again').not.toContain(true);
}
