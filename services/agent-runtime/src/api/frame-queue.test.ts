import { create } from '@bufbuild/protobuf';
import { type AgentEvent, AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { type RunResponse, RunResponseSchema } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { describe, expect, it } from 'vitest';
import { settled } from '../../tests/doubles/virtual-time.ts';
import { FrameQueue } from './frame-queue.ts';

const event = (offset: number): AgentEvent =>
  create(AgentEventSchema, { data: { case: 'textDelta', value: { blockId: 'b', offset: BigInt(offset), text: 'x' } } });
const checkpoint = (index: bigint): RunResponse =>
  create(RunResponseSchema, { frame: { case: 'checkpoint', value: { index } } });

/** Offsets of the events of a frame, or what else it is. */
function shape({ frame }: RunResponse): string {
  return frame.case === 'events'
    ? frame.value.events.map(({ data }) => data.case === 'textDelta' && String(data.value.offset)).join()
    : `${frame.case}`;
}

async function readAll(queue: FrameQueue): Promise<string[]> {
  const shapes: string[] = [];
  for await (const frame of queue.frames(new AbortController().signal)) {
    shapes.push(shape(frame));
  }
  return shapes;
}

describe('a frame queue', () => {
  it('sends events that are said in one turn of the event loop as one frame', async () => {
    const queue = new FrameQueue();
    const reading = readAll(queue);
    await settled();
    queue.event(event(1));
    await Promise.resolve();
    queue.event(event(2));
    await settled();
    queue.event(event(3));
    await settled();
    queue.end();
    expect(await reading).toEqual(['1,2', '3']);
  });

  it('keeps the order of events and other frames', async () => {
    const queue = new FrameQueue();
    queue.event(event(1));
    queue.frame(checkpoint(1n));
    queue.event(event(2));
    queue.event(event(3));
    queue.frame(checkpoint(2n));
    queue.event(event(4));
    queue.end();
    expect(await readAll(queue)).toEqual(['1', 'checkpoint', '2,3', 'checkpoint', '4']);
  });

  it('sends a checkpoint at once', async () => {
    const queue = new FrameQueue();
    const frames = queue.frames(new AbortController().signal);
    const first = frames.next();
    await settled();
    queue.event(event(1));
    queue.frame(checkpoint(1n));
    expect((await first).value).toMatchObject({ frame: { case: 'events' } });
    expect((await frames.next()).value).toMatchObject({ frame: { case: 'checkpoint' } });
  });

  it('splits what is too much for one frame', async () => {
    const queue = new FrameQueue();
    Array.from({ length: 1100 }, (_, index) => queue.event(event(index)));
    queue.end();
    expect((await readAll(queue)).map((frame) => frame.split(',').length)).toEqual([512, 512, 76]);
  });

  it('asks whoever can wait to wait while it is full', async () => {
    const queue = new FrameQueue();
    expect(queue.room()).toBeUndefined();
    Array.from({ length: 1024 }, (_, index) => queue.event(event(index)));
    const room = queue.room();
    expect(room).toBeInstanceOf(Promise);
    await queue.frames(new AbortController().signal).next();
    await room;
    expect(queue.room()).toBeUndefined();
  });

  it('ends with an error after what was said before it', async () => {
    const queue = new FrameQueue();
    const failure = new RangeError('no');
    queue.event(event(1));
    queue.end(failure);
    const frames = queue.frames(new AbortController().signal);
    expect((await frames.next()).value).toMatchObject({ frame: { case: 'events' } });
    await expect(frames.next()).rejects.toBe(failure);
  });

  it('ends at once when its signal is aborted, lets go of who waits for room, and takes nothing more', async () => {
    const queue = new FrameQueue();
    const gone = new AbortController();
    const next = queue.frames(gone.signal).next();
    await settled();
    Array.from({ length: 1024 }, (_, index) => queue.event(event(index)));
    const room = queue.room();
    gone.abort(new RangeError('gone'));
    await expect(next).rejects.toThrow('gone');
    await room;
    queue.event(event(1));
    queue.frame(checkpoint(1n));
    expect(await readAll(queue)).toEqual([]);
  });
});
