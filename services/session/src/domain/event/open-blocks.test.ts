import { describe, expect, test } from 'vitest';
import {
  callDelta,
  callEnd,
  callStart,
  reasoningStart,
  spanStart,
  textDelta,
  textEnd,
  textStart,
} from '../../../tests/doubles/said.ts';
import type { UnplacedEvent } from './agent-event.ts';
import { OpenBlocks } from './open-blocks.ts';

const { span } = textDelta('b', 0, '');
const chunk = (blockId: string, offset: bigint, text: string) => ({
  span,
  bytes: Buffer.byteLength(text),
  data: { case: 'textDelta', value: { blockId, offset, text, elidedBytes: 0n } },
});

function after(...events: readonly UnplacedEvent[]): OpenBlocks {
  const blocks = new OpenBlocks();
  events.forEach((event) => blocks.note(event));
  return blocks;
}

describe('the open blocks of a run', () => {
  test('give the text of a block since its last chunk, with its place in bytes', () => {
    const blocks = after(textStart('b'), textDelta('b', 0, 'é'), textDelta('b', 2, '😀'));
    expect(blocks.hasPending()).toBe(true);
    expect(blocks.takeChunk('b')).toEqual(chunk('b', 0n, 'é😀'));
    expect(blocks.hasPending()).toBe(false);
    expect(blocks.takeChunk('b')).toBeUndefined();
    blocks.note(textDelta('b', 6, 'x'));
    expect(blocks.takeChunks()).toEqual([chunk('b', 6n, 'x')]);
  });

  test('give a chunk when 2 KiB are reached, in bytes and not in characters', () => {
    const blocks = after(textStart('b'));
    expect(blocks.note(textDelta('b', 0, '😀'.repeat(511)))).toBeUndefined();
    expect(blocks.note(textDelta('b', 2044, 'abc'))).toBeUndefined();
    expect(blocks.note(textDelta('b', 2047, 'd'))).toEqual(chunk('b', 0n, `${'😀'.repeat(511)}abcd`));
  });

  test('give the rest before the end of a block, and forget it', () => {
    const blocks = after(textStart('b'), textDelta('b', 0, 'rest'));
    expect(blocks.note(textEnd('b', 4))).toEqual(chunk('b', 0n, 'rest'));
    expect(blocks.note(textEnd('b', 4))).toBeUndefined();
    expect(blocks.endings()).toEqual([]);
  });

  test('keep several blocks apart', () => {
    const blocks = after(textStart('a'), callStart('c', 'm'), textDelta('a', 0, 'A'), callDelta('c', 0, '{'));
    expect(blocks.takeChunks()).toEqual([
      chunk('a', 0n, 'A'),
      { ...chunk('c', 0n, '{'), data: callDelta('c', 0, '{').data },
    ]);
  });

  test('take no text for a block that is not open', () => {
    const blocks = after(textDelta('b', 0, 'lost'), textEnd('b', 4), spanStart('a'));
    expect([blocks.hasPending(), blocks.takeChunks(), blocks.endings()]).toEqual([false, [], []]);
  });

  test('tell the end of each that is open', () => {
    const blocks = after(
      textStart('t'),
      reasoningStart('r'),
      callStart('c', 'm'),
      callStart('d', 'm'),
      callEnd('d'),
      textDelta('t', 0, 'ü'),
    );
    expect(blocks.endings().map(({ data }) => data)).toEqual([
      { case: 'textEnd', value: { blockId: 't', length: 2n } },
      { case: 'reasoningEnd', value: { blockId: 'r', length: 0n } },
      { case: 'toolCallEnd', value: { callId: 'c', argumentsJson: '' } },
    ]);
  });
});
