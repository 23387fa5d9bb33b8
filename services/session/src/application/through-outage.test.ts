import { DomainError } from '@spanwise/kernel';
import { fakeClock } from '@spanwise/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { settled } from '../../tests/doubles/world.ts';
import { fenced } from '../domain/event/event-errors.ts';
import { throughOutage } from './through-outage.ts';

const away = new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Tries something that fails until `failures` are used up; answers how it went and how often it was tried. */
async function trying(failures: number, error: unknown) {
  const clock = fakeClock();
  let attempts = 0;
  const outcome = throughOutage(clock, async () => {
    attempts += 1;
    if (attempts <= failures) {
      throw error;
    }
    return 'done';
  }).catch((reason: unknown) => reason);
  for (let n = 0; n < 60; n += 1) {
    await settled();
    clock.advance(200);
    vi.advanceTimersByTime(200);
  }
  return { outcome: await outcome, attempts };
}

test('answers what the first attempt answers', async () => {
  expect(await trying(0, away)).toEqual({ outcome: 'done', attempts: 1 });
});

test('tries again every 200 ms while the database is away', async () => {
  expect(await trying(45, away)).toEqual({ outcome: 'done', attempts: 46 });
});

test('gives up after nine seconds', async () => {
  expect(await trying(1000, away)).toEqual({ outcome: away, attempts: 47 });
});

test('does not repeat what failed for another reason', async () => {
  expect(await trying(1000, fenced())).toEqual({ outcome: fenced(), attempts: 1 });
  const bug = new TypeError('bug');
  expect(await trying(1000, bug)).toEqual({ outcome: bug, attempts: 1 });
});
