import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, encodeFrame, type Frame, FrameReader } from './frames.ts';

const limits = { headBytes: 1000, dataBytes: 1000 };

test('puts frames together again, however they were cut', () => {
  const frame = fc.record({
    head: fc.record({ text: fc.string({ maxLength: 50 }) }),
    data: fc.uint8Array({ maxLength: 99 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 40 }), (frames, size) => {
      const bytes = concatBytes(frames.map(({ head, data }) => encodeFrame(head, data)));
      const reader = new FrameReader(limits);
      const read: Frame[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        read.push(...(reader.push(bytes.slice(at, at + size)) ?? expect.fail()));
      }
      expect(read.map(({ head, data }) => ({ head, data: new Uint8Array(data) }))).toEqual(frames);
    }),
  );
});

test.each([
  ['a head that is too long', encodeFrame({ text: 'x'.repeat(1001) })],
  ['data that are too long', encodeFrame({}, new Uint8Array(1001))],
  ['what is no JSON', new Uint8Array([0, 0, 0, 1, 0, 0, 0, 0, 123])],
  ['text instead of frames', new TextEncoder().encode('{"type":"exit","exitCode":0}\n')],
])('refuses %s', (_, bytes) => {
  expect(new FrameReader(limits).push(bytes)).toBeUndefined();
});
