import { expect, test } from 'vitest';
import { FrameQueue } from './frame-queue.ts';

const isProgress = (frame: string) => frame.startsWith('progress');
const makeQueue = () =>
  new FrameQueue<string>((last, next) => (isProgress(last) && isProgress(next) ? next : undefined));

async function readAll(queue: FrameQueue<string>): Promise<string[]> {
  const frames: string[] = [];
  for await (const frame of queue.read()) {
    frames.push(frame);
  }
  return frames;
}

test('hands over what was pushed before and while it is read, in order', async () => {
  const queue = makeQueue();
  queue.push('a');
  const reading = readAll(queue);
  await Promise.resolve();
  queue.push('b');
  await Promise.resolve();
  queue.push('c');
  queue.end();
  queue.push('late');
  await expect(reading).resolves.toEqual(['a', 'b', 'c']);
});

test('keeps only the latest of the reports that wait', async () => {
  const queue = makeQueue();
  ['progress 1', 'progress 2', 'span', 'progress 3', 'progress 4'].forEach((frame) => queue.push(frame));
  queue.end();
  await expect(readAll(queue)).resolves.toEqual(['progress 2', 'span', 'progress 4']);
});

test('gives what was pushed before it fails', async () => {
  const queue = makeQueue();
  queue.push('a');
  queue.fail(new Error('broken'));
  const reader = queue.read();
  await expect(reader.next()).resolves.toEqual({ done: false, value: 'a' });
  await expect(reader.next()).rejects.toThrow('broken');
});
