import { expect, test } from 'vitest';
import { WriteTurns } from './write-turns.ts';

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('writers of one place come one after another, of others side by side', async () => {
  const turns = new WriteTurns();
  const log: string[] = [];
  const write = async (name: string, places: string[]) => {
    using _ = await turns.take(places, never);
    log.push(`${name} begins`);
    await settle();
    log.push(`${name} ends`);
  };
  await Promise.all([write('one', ['a']), write('two', ['a', 'b']), write('three', ['c']), write('four', ['b'])]);
  expect(log.indexOf('one ends')).toBeLessThan(log.indexOf('two begins'));
  expect(log.indexOf('two ends')).toBeLessThan(log.indexOf('four begins'));
  expect(log.indexOf('three begins')).toBeLessThan(log.indexOf('one ends'));
});

test('whoever gives up waiting does not let others pass those before', async () => {
  const turns = new WriteTurns();
  const first = await turns.take(['a'], never);
  const leaving = new AbortController();
  const second = turns.take(['a'], leaving.signal);
  let isThird = false;
  const third = turns.take(['a'], never).then((turn) => {
    isThird = true;
    return turn;
  });
  leaving.abort(new Error('left'));
  await expect(second).rejects.toThrow('left');
  await settle();
  expect(isThird).toBe(false);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  expect(isThird).toBe(true);
});

test('nobody waits for no place', async () => {
  const turns = new WriteTurns();
  using _ = await turns.take([], never);
  using __ = await turns.take([], never);
  expect(turns).toBeInstanceOf(WriteTurns);
});
