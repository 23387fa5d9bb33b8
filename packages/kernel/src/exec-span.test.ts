import { expect, test } from 'vitest';
import { loggedSpans, type SpanEvent } from './exec-span.ts';

const root = { span: { id: 'aaaaaaaaaaaaaaaa', par: '' }, traceId: '1'.repeat(32), traceFlags: 0 };

test('makes children of the span that encloses them and ends each once', () => {
  const events: SpanEvent[] = [];
  let made = 0;
  const spans = loggedSpans({
    ids: { spanId: () => String(++made).padStart(16, '0') },
    clock: { nowMs: () => 7 },
    emit: (event) => events.push(event),
  });
  const turn = spans.start(root, 'turn', 'turn 1');
  const tool = spans.start(turn.context, 'tool', 'execute_tool read', { 'gen_ai.tool.name': 'read' });
  tool.end({ status: 'error', errorType: 'FILE_NOT_FOUND' });
  tool.end({ status: 'ok' });
  turn.end({ status: 'ok' });
  expect(events.map((event) => [event.type, event.span])).toEqual([
    ['span-start', { id: '0000000000000001', par: root.span.id }],
    ['span-start', { id: '0000000000000002', par: '0000000000000001' }],
    ['span-end', { id: '0000000000000002', par: '0000000000000001' }],
    ['span-end', { id: '0000000000000001', par: root.span.id }],
  ]);
  expect(events[2]).toMatchObject({ status: 'error', errorType: 'FILE_NOT_FOUND' });
});
