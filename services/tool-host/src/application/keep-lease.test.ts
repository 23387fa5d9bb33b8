import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InMemoryInstanceRepository } from '../infrastructure/persistence/in-memory-instance-repository.ts';
import { KeepLease } from './keep-lease.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const address = 'http://me';

/** A lease of 15 s on instances in memory, and what happened to it. */
function keeper({ isAlone = false } = {}) {
  const instances = new InMemoryInstanceRepository(clock);
  const story: string[] = [];
  let count = 0;
  const lease = new KeepLease({
    ...{ instances, clock, isAlone, leaseMs: 15_000, renewMs: 3000 },
    ids: { uuid: () => `id-${++count}` },
    onLost: () => void story.push('lost'),
    onRenewed: () => void story.push('renewed'),
    onError: () => void story.push('error'),
  });
  return { instances, lease, story };
}

/** The database does not answer from now on; answers how to bring it back. */
function takeAway(instances: InMemoryInstanceRepository): () => void {
  const spies = [vi.spyOn(instances, 'renew'), vi.spyOn(instances, 'register')];
  spies.forEach((spy) => spy.mockRejectedValue(new TypeError('away')));
  return () => spies.forEach((spy) => spy.mockRestore());
}

test('registers at once, renews every 3 s, and lets go at the end', async () => {
  const { instances, lease, story } = keeper();
  await lease.start(address);
  expect(await instances.alive()).toEqual([{ id: lease.id, address }]);
  const { id } = lease;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(story).toEqual(Array(21).fill('renewed'));
  expect(lease.id).toBe(id);
  expect(instances.isAlive(id)).toBe(true);
  await lease[Symbol.asyncDispose]();
  expect(await instances.alive()).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('gives the lease up after 9 s without an answer, while others still respect it, and begins anew', async () => {
  const { instances, lease, story } = keeper();
  await lease.start(address);
  const { id } = lease;
  const bringBack = takeAway(instances);
  await vi.advanceTimersByTimeAsync(8900);
  expect(story).not.toContain('lost');
  await vi.advanceTimersByTimeAsync(1000);
  expect(story.filter((each) => each === 'lost')).toEqual(['lost']);
  expect(instances.isAlive(id)).toBe(true);
  expect(instances.isAlive(lease.id)).toBe(false);
  bringBack();
  await vi.advanceTimersByTimeAsync(3000);
  expect(lease.id).not.toBe(id);
  expect(instances.isAlive(lease.id)).toBe(true);
  expect([id, lease.id, 'other'].map((each) => lease.owns(each))).toEqual([true, true, false]);
});

test('goes on after a renewal that failed', async () => {
  const { instances, lease, story } = keeper();
  await lease.start(address);
  const { id } = lease;
  const bringBack = takeAway(instances);
  await vi.advanceTimersByTimeAsync(6500);
  bringBack();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(lease.id).toBe(id);
  expect(story).not.toContain('lost');
});

test('never revives a lease that has run out', async () => {
  const { instances, lease, story } = keeper();
  await lease.start(address);
  const { id } = lease;
  await instances.remove(id);
  await vi.advanceTimersByTimeAsync(3000);
  expect(story).toContain('lost');
  expect(lease.id).not.toBe(id);
  expect(await instances.alive()).toEqual([{ id: lease.id, address }]);
});

test('starts without a database and registers when it is there', async () => {
  const { instances, lease, story } = keeper();
  const bringBack = takeAway(instances);
  await lease.start(address);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(story).not.toContain('lost');
  bringBack();
  await vi.advanceTimersByTimeAsync(3000);
  expect(instances.isAlive(lease.id)).toBe(true);
});

test.each([true, false])('takes all others for dead at its start if it is alone: %s', async (isAlone) => {
  const { instances, lease } = keeper({ isAlone });
  await instances.register({ id: 'before', address: 'http://before' }, 60_000);
  await lease.start(address);
  expect(instances.isAlive('before')).toBe(!isAlone);
});
