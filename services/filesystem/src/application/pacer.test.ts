import { fakeClock } from '@spanwise/testing';
import { expect, test } from 'vitest';
import { Pacer } from './pacer.ts';

test('lets others go on only when its time is up', async () => {
  const clock = fakeClock();
  const pacer = new Pacer(clock, new AbortController().signal);
  let others = 0;
  setImmediate(() => (others += 1));
  await pacer.pause();
  expect({ others, isDue: pacer.isDue() }).toEqual({ others: 0, isDue: false });
  clock.advance(5);
  expect(pacer.isDue()).toBe(true);
  await pacer.pause();
  expect({ others, isDue: pacer.isDue() }).toEqual({ others: 1, isDue: false });
});

test('ends the work when nobody waits for it', async () => {
  const clock = fakeClock();
  const controller = new AbortController();
  const pacer = new Pacer(clock, controller.signal);
  clock.advance(5);
  setImmediate(() => controller.abort(new RangeError('gone')));
  await expect(pacer.pause()).rejects.toThrow('gone');
});
