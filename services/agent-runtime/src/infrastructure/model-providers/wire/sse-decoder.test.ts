import { describe, expect, it } from 'vitest';
import { SseDecoder } from './sse-decoder.ts';

/** Decodes text whose bytes come in pieces of the given size. */
function decode(text: string, size = 1 << 20): string[] {
  const decoder = new SseDecoder();
  const bytes = new TextEncoder().encode(text);
  const events: string[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    events.push(...decoder.decode(bytes.subarray(start, start + size)));
  }
  return [...events, ...decoder.end()];
}

const stream = ': hello\n\nevent: x\ndata: {"a":"é😀"}\nid: 1\n\ngarbage\ndata:two\ndata: lines\n\n\ndata: [DONE]\n\n';
const expected = ['{"a":"é😀"}', 'two\nlines', '[DONE]'];

describe('an event stream', () => {
  it.each([1, 2, 3, 5, 7, 1 << 20])('is split into events when it comes in pieces of %i bytes', (size) => {
    expect(decode(stream, size)).toEqual(expected);
    expect(decode(stream.replaceAll('\n', '\r\n'), size)).toEqual(expected);
    expect(decode(stream.replaceAll('\n', '\r'), size)).toEqual(expected);
  });

  it('may end without its last empty line', () => {
    expect(decode('data: a\n\ndata: b')).toEqual(['a', 'b']);
    expect(decode('data: a\r')).toEqual(['a']);
    expect(decode('')).toEqual([]);
  });

  it('may begin with a byte order mark', () => {
    expect(decode('\uFEFFdata: a\n\n')).toEqual(['a']);
  });

  it('is given up when a line does not end', () => {
    const decoder = new SseDecoder();
    const megabyte = new Uint8Array(1024 * 1024).fill(120);
    expect(() => Array.from({ length: 9 }, () => decoder.decode(megabyte))).toThrow(
      expect.objectContaining({ reason: 'STREAM_INCOMPLETE' }),
    );
  });
});
