import { describe, expect, test } from 'vitest';
import { FrameQueue } from './frame-queue.ts';

const done = { done: true, value: undefined };

describe('a queue of frames', () => {
  test('gives what was pushed, in order, and what comes to whoever waits', async () => {
    const queue = new FrameQueue<number>();
    queue.push(1);
    queue.push(2);
    const taken = [queue.next(), queue.next(), queue.next()];
    queue.push(3);
    expect(await Promise.all(taken)).toEqual([1, 2, 3].map((value) => ({ done: false, value })));
  });

  test('breaks off after what was pushed before, for good', async () => {
    const queue = new FrameQueue<number>();
    queue.push(1);
    queue.fail(new TypeError('broken'));
    queue.push(2);
    expect(await queue.next()).toEqual({ done: false, value: 1 });
    await expect(queue.next()).rejects.toEqual(new TypeError('broken'));
    await expect(queue.next()).rejects.toEqual(new TypeError('broken'));
  });

  test('breaks off whoever waits', async () => {
    const queue = new FrameQueue<number>();
    const taken = queue.next();
    queue.fail(new TypeError('broken'));
    await expect(taken).rejects.toEqual(new TypeError('broken'));
  });

  test('ends when its reader returns, and drops what it has and gets', async () => {
    const queue = new FrameQueue<number>();
    queue.push(1);
    expect(await queue.return()).toEqual(done);
    queue.push(2);
    expect(await queue.next()).toEqual(done);
  });

  test('ends for whoever waits when its reader returns', async () => {
    const queue = new FrameQueue<number>();
    const taken = queue.next();
    await queue.return();
    expect(await taken).toEqual(done);
  });

  test('throws what its reader throws into it, and ends', async () => {
    const queue = new FrameQueue<number>();
    queue.push(1);
    await expect(queue.throw(new TypeError('write failed'))).rejects.toEqual(new TypeError('write failed'));
    expect(await queue.next()).toEqual(done);
  });

  test('stays ended in the way it ended first', async () => {
    const queue = new FrameQueue<number>();
    await queue.return();
    queue.fail(new TypeError('late'));
    expect(await queue.next()).toEqual(done);
  });

  test('is read by a loop', async () => {
    const queue = new FrameQueue<number>();
    queue.push(1);
    queue.push(2);
    const read: number[] = [];
    for await (const frame of queue) {
      read.push(frame);
      if (read.length === 2) {
        break;
      }
    }
    queue.push(3);
    expect([read, await queue.next()]).toEqual([[1, 2], done]);
  });
});
