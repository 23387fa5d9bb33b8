import type { SpanEvent } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { benchClock, openSpans, toolCall } from '../../../tests/tool-calls.ts';
import { callSpans } from './call-spans.ts';

function spansOf(operations: number) {
  let ids = 0;
  const events: SpanEvent[] = [];
  const start = callSpans({ ids: { spanId: () => String(++ids).padStart(16, '0') }, clock: benchClock });
  const spans = start(toolCall('bash', {}), (event) => void events.push(event));
  for (let n = 0; n < operations; n += 1) {
    spans.startFile('read file', '/a').end({ status: 'ok' });
  }
  spans.end({ status: 'ok' });
  return events;
}

test('each file operation is a span below that of its call', () => {
  const events = spansOf(3);
  const started = events.filter(({ type }) => type === 'span-start');
  expect(started.map(({ span }) => span.par)).toEqual([expect.any(String), ...Array(3).fill(started[0]?.span.id)]);
  expect(openSpans(events)).toEqual([]);
  expect(events.at(-1)?.attributes).toEqual({});
});

test('a call that does very many has spans of the first ones, and says how many there were', () => {
  const events = spansOf(10_000);
  expect(events).toHaveLength(2 * 201);
  expect(openSpans(events)).toEqual([]);
  expect(events.at(-1)?.attributes).toEqual({ 'spanwise.tool.file_operations': '10000' });
});
