import { brandId, type Uid } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { CallSlots } from './call-slots.ts';

const never = new AbortController().signal;
const [ann, bob] = [brandId<Uid>('ann'), brandId<Uid>('bob')];
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a user has so many slots and no more, and each user has their own', async () => {
  const slots = new CallSlots(2);
  const taken = [await slots.take(ann, never), await slots.take(ann, never), await slots.take(bob, never)];
  const order: string[] = [];
  const waiting = ['first', 'second'].map((name) => slots.take(ann, never).then((slot) => (order.push(name), slot)));
  await settle();
  expect(order).toEqual([]);
  taken[2]?.[Symbol.dispose]();
  await settle();
  expect(order).toEqual([]);
  taken[0]?.[Symbol.dispose]();
  await settle();
  expect(order).toEqual(['first']);
  taken[1]?.[Symbol.dispose]();
  await Promise.all(waiting);
  expect(order).toEqual(['first', 'second']);
});

test('whoever gives up waiting takes no slot', async () => {
  const slots = new CallSlots(1);
  const first = await slots.take(ann, never);
  const leaving = new AbortController();
  const second = slots.take(ann, leaving.signal);
  const third = slots.take(ann, never);
  leaving.abort(new Error('left'));
  await expect(second).rejects.toThrow('left');
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  (await slots.take(ann, never))[Symbol.dispose]();
});
