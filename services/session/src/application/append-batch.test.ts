import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { fakeClock } from '@spanwise/testing';
import { expect, test } from 'vitest';
import { brief, contextRow, message, spanStart, textDelta } from '../../tests/doubles/said.ts';
import { eventTime, role } from '../domain/event/agent-event.ts';
import { AppendBatch } from './append-batch.ts';

const sessionId = brandId<SessionId>('00000000-0000-7000-8000-0000000000aa');
const runId = brandId<RunId>('00000000-0000-7000-8000-0000000000bb');
const position = { sessionId, runId, epoch: 2, lastSeq: 7, lastContextSeq: 3 };
const chunk = { span: undefined, data: textDelta('b', 0, 'ü').data, bytes: 2 };

test('a batch gives durable events and rows their places, and keeps the order in which they are shown', () => {
  const clock = fakeClock();
  const batch = new AppendBatch(position, clock);
  const row = contextRow('m', runId, role.assistant);
  batch.addLive(textDelta('b', 0, 'ü'));
  batch.addChunk(chunk);
  batch.addRow(row);
  batch.addDurable(message('m', role.assistant));
  batch.addDurable(message('stranger', role.assistant, 1n));
  batch.addLive(textDelta('c', 0, 'x'));
  const at = { sessionId, runId, epoch: 2n };
  expect(batch.append).toEqual({
    position,
    contextRows: [row],
    events: [
      { ...at, seq: 8n, span: undefined, time: eventTime(clock.nowMs()), data: chunk.data },
      { ...message('m', role.assistant, 4n), ...at, seq: 9n },
      { ...message('stranger', role.assistant, 1n), ...at, seq: 10n },
    ],
  });
  expect(batch.shown.map(({ event, elided }) => [brief(event), elided && brief(elided)])).toEqual([
    ['live textDelta b+0 ü', undefined],
    ['8 textDelta b+0 ü', '8 textDelta b+0 (2)'],
    ['9 message', undefined],
    ['10 message', undefined],
    ['live textDelta c+0 x', undefined],
  ]);
});

test('what is shown at once is what comes before the first durable event', () => {
  const batch = new AppendBatch(position, fakeClock());
  expect(batch.shownAtOnce).toBe(0);
  batch.addLive(textDelta('b', 0, 'a'));
  batch.addLive(textDelta('b', 1, 'b'));
  expect(batch.shownAtOnce).toBe(2);
  batch.addDurable(spanStart('a'));
  batch.addLive(textDelta('b', 2, 'c'));
  expect(batch.shownAtOnce).toBe(2);
});
