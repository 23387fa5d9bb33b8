import { describe, expect, test } from 'vitest';
import {
  callDelta,
  callEnd,
  callStart,
  durable,
  reasoningStart,
  spanStart,
  textDelta,
  textEnd,
  textStart,
} from '../../../tests/doubles/said.ts';
import { eventTime, eventTimeMs } from './agent-event.ts';
import { closedBlock, deltaData, deltaOf, elided, isLiveDelta, isTerminal, openedBlock, utf8Length } from './delta.ts';
import { bytesAtMost } from './event-size.ts';

const placed = { seq: 3n, sessionId: 's', runId: 'r', epoch: 1n };
const runEnd = durable({ case: 'runEnd', value: { outcome: 1, finishReason: 1 } });
const runError = durable({ case: 'runError', value: {} });

describe('a delta', () => {
  test.each([
    ['textDelta', textDelta('b', 5, 'ü').data],
    ['reasoningDelta', deltaData('reasoningDelta', { blockId: 'b', offset: 5, text: 'ü' })],
    ['toolCallDelta', callDelta('b', 5, 'ü').data],
  ] as const)('%s is read and made', (deltaCase, data) => {
    const delta = { blockId: 'b', offset: 5, text: 'ü' };
    expect(deltaOf(data)).toEqual(delta);
    expect(deltaData(deltaCase, delta)).toEqual(data);
    expect(elided({ ...placed, data }, 2).data).toEqual({
      case: deltaCase,
      value: { ...data.value, text: '', elidedBytes: 2n },
    });
    expect(isLiveDelta({ data })).toBe(true);
  });

  test('is nothing else', () => {
    const others = [textStart('b'), textEnd('b', 0), spanStart('a'), runEnd, runError, callEnd('c')];
    expect(others.map(({ data }) => [deltaOf(data), isLiveDelta({ data })])).toEqual(
      others.map(() => [undefined, false]),
    );
    expect(elided({ ...placed, ...runEnd }, 2)).toEqual({ ...placed, ...runEnd });
  });
});

test('blocks are opened and closed by their starts and ends', () => {
  expect(
    [textStart('b'), reasoningStart('b'), callStart('b', 'm'), textEnd('b', 0)].map(({ data }) => openedBlock(data)),
  ).toEqual([
    { blockId: 'b', deltaCase: 'textDelta' },
    { blockId: 'b', deltaCase: 'reasoningDelta' },
    { blockId: 'b', deltaCase: 'toolCallDelta' },
    undefined,
  ]);
  const reasoningEnd = durable({ case: 'reasoningEnd', value: { blockId: 'b', length: 0n } });
  expect([textEnd('b', 0), reasoningEnd, callEnd('b'), textStart('b')].map(({ data }) => closedBlock(data))).toEqual([
    ...['b', 'b', 'b', undefined],
  ]);
});

test('the terminal events are RUN_END and RUN_ERROR', () => {
  expect([runEnd, runError, textEnd('b', 0), spanStart('a')].map(isTerminal)).toEqual([true, true, false, false]);
});

test.each(['', 'a', 'é', '語', '😀', 'aé語😀'])('the length of %o is that of its UTF-8', (text) => {
  expect(utf8Length(text)).toBe(Buffer.byteLength(text));
});

test.each([0, 1, 999.5, 1_800_000_000_123.25, -1, -1500])('the time %d is told and read again', (ms) => {
  expect(eventTimeMs(eventTime(ms))).toBeCloseTo(ms, 5);
  expect(eventTime(ms).nanos).toBeGreaterThanOrEqual(0);
});

test('an event without a time is at 0', () => {
  expect(eventTimeMs(undefined)).toBe(0);
});

test('the size of an event is never less than its text', () => {
  const text = '語'.repeat(1000);
  const value = {
    callId: 'c',
    outcome: 1,
    content: [{ content: { case: 'text' as const, value: text } }],
    structuredJson: text,
    code: text,
    truncated: { shownBytes: 1n, totalBytes: 2n, fullPath: text },
  };
  const sizes = [
    textDelta('b', 0, text),
    callDelta('c', 0, text),
    callEnd('c', text),
    durable({ case: 'toolResult', value }),
    spanStart('a'),
  ];
  const bytes = Buffer.byteLength(text);
  expect(sizes.map((event) => bytesAtMost({ ...placed, ...event }) - 512)).toEqual([bytes, bytes, bytes, 4 * bytes, 0]);
});
