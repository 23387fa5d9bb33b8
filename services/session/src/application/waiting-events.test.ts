import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brief, callDelta, callStart, spanStart, textDelta, textEnd, textStart } from '../../tests/doubles/said.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import type { AgentEvent, UnplacedEvent } from '../domain/event/agent-event.ts';
import { elided, utf8Length } from '../domain/event/delta.ts';
import { bytesOf, type Published } from './published.ts';
import { maxWaitingBytes, maxWaitingEvents, mergeDeltas, WaitingEvents } from './waiting-events.ts';

const at = (seq: number, event: UnplacedEvent, epoch = 1n): AgentEvent => {
  return { ...event, seq: BigInt(seq), sessionId: 's', runId: 'r', epoch };
};
const shown = (seq: number, event: UnplacedEvent, epoch = 1n): Published => ({ event: at(seq, event, epoch) });
const live = (blockId: string, offset: number, text: string, epoch = 1n) =>
  shown(0, textDelta(blockId, offset, text), epoch);
const told = (entries: readonly Published[]) => entries.map(({ event }) => brief(event));

describe('merging', () => {
  test('joins neighbouring live deltas of a block, and nothing else', () => {
    const chunk = at(7, textDelta('b', 0, 'Grüß'));
    const entries = [
      ...[live('b', 0, 'Gr'), live('b', 2, 'ü'), live('b', 4, 'ß')],
      { event: chunk, elided: elided(chunk, 6) },
      ...[live('b', 6, 'e'), live('c', 0, 'x'), live('b', 7, '!'), live('b', 8, '?')],
      ...[shown(0, callDelta('b', 9, 'a')), shown(8, textEnd('b', 10))],
    ];
    const merged = mergeDeltas(entries);
    expect(told(merged)).toEqual([
      ...['live textDelta b+0 Grüß', '7 textDelta b+0 Grüß', 'live textDelta b+6 e', 'live textDelta c+0 x'],
      ...['live textDelta b+7 !?', 'live toolCallDelta b+9 a', '8 textEnd'],
    ]);
    expect(merged[1]).toBe(entries[3]);
  });

  test('keeps the thread of what it joins', () => {
    const inThread = (text: string, offset: number) => shown(0, { ...textDelta('b', offset, text), threadId: 'call' });
    expect(mergeDeltas([inThread('a', 0), inThread('b', 1)])).toEqual([
      { event: { ...at(0, textDelta('b', 0, 'ab')), threadId: 'call' } },
    ]);
  });

  test('does not join what does not go on where the other ends, or is of another epoch', () => {
    const entries = [live('b', 0, 'ab'), live('b', 3, 'd'), live('b', 4, 'e', 2n)];
    expect(told(mergeDeltas(entries))).toEqual(told(entries));
  });

  test('keeps order, durable events and text, whatever is shown', () => {
    const piece = fc.record({ block: fc.nat({ max: 2 }), text: fc.stringMatching(/^[aé語😀]{1,4}$/u) });
    const property = fc.property(fc.array(fc.option(piece, { freq: 6 }), { maxLength: 80 }), (pieces) => {
      const lengths = new Map<string, number>();
      const entries = pieces.map((each, index) => {
        const offset = lengths.get(String(each?.block)) ?? 0;
        lengths.set(String(each?.block), offset + utf8Length(each?.text ?? ''));
        return each === null ? shown(index + 1, spanStart('a')) : live(String(each.block), offset, each.text);
      });
      const merged = mergeDeltas(entries);
      const texts = (each: readonly Published[]) => new TextReader().apply(each.map(({ event }) => event)).texts;
      const durable = (each: readonly Published[]) => each.filter(({ event }) => event.seq > 0n);
      expect(texts(merged)).toEqual(texts(entries));
      expect(durable(merged)).toEqual(durable(entries));
      expect(mergeDeltas(merged)).toEqual(merged);
    });
    fc.assert(property, { numRuns: 200 });
  });
});

describe('what waits', () => {
  const add = (waiting: WaitingEvents, entries: readonly Published[]) => waiting.add(entries, bytesOf(entries));
  const spans = (count: number) => Array.from({ length: count }, (_, n) => shown(n + 1, spanStart('a')));

  test('is kept as it is up to the limit', () => {
    const waiting = new WaitingEvents();
    const entries = Array.from({ length: maxWaitingEvents }, (_, n) => live('b', n, 'x'));
    expect(entries.every((entry) => add(waiting, [entry]))).toBe(true);
    expect(waiting.take()).toEqual(entries);
    expect([waiting.isEmpty, waiting.take()]).toEqual([true, []]);
  });

  test('is merged beyond it', () => {
    const waiting = new WaitingEvents();
    const entries = Array.from({ length: 20_000 }, (_, n) => live('b', n, 'x'));
    expect(entries.every((entry) => add(waiting, [entry]))).toBe(true);
    const taken = waiting.take();
    expect(taken.length).toBeLessThanOrEqual(maxWaitingEvents);
    expect(new TextReader().apply(taken.map(({ event }) => event)).texts).toEqual({ b: 'x'.repeat(20_000) });
  });

  test('is dropped when merging does not help, by number and by bytes', () => {
    const waiting = new WaitingEvents();
    expect(add(waiting, spans(maxWaitingEvents))).toBe(true);
    expect(add(waiting, spans(1))).toBe(false);
    expect(waiting.isEmpty).toBe(true);
    const large = 'x'.repeat(maxWaitingBytes / 6);
    expect(add(waiting, [live('b', 0, large)])).toBe(true);
    expect(add(waiting, [live('b', large.length, large)])).toBe(false);
    expect(waiting.isEmpty).toBe(true);
  });

  test('is taken whatever its size when nothing else waits', () => {
    const waiting = new WaitingEvents();
    expect(add(waiting, [shown(1, textStart('b')), shown(2, callStart('c', 'm')), ...spans(2000)])).toBe(true);
    expect(waiting.take()).toHaveLength(2002);
  });
});
