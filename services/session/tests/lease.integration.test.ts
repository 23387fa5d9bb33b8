import { setTimeout as delay } from 'node:timers/promises';
import { randomIds, systemClock } from '@spanwise/kernel';
import { databaseUnavailable } from '@spanwise/persistence';
import { expect, test, vi } from 'vitest';
import { Lease } from '../src/application/lease.ts';

test('loses its runs once in an outage, and is registered soon after the database is back', async () => {
  const registered = new Set<string>();
  let isAway = false;
  let losses = 0;
  const answer = async <Value>(value: () => Value): Promise<Value> => {
    if (isAway) {
      throw databaseUnavailable(new Error('away'));
    }
    return value();
  };
  const lease = new Lease({
    instances: {
      register: ({ id }: { id: string }) => answer(() => void registered.add(id)),
      renew: (id: string) => answer(() => registered.has(id)),
      remove: async () => undefined,
      removeDead: async () => undefined,
    } as never,
    address: () => 'http://127.0.0.1:1',
    newId: () => randomIds().uuid(),
    clock: systemClock,
    onLost: () => {
      losses += 1;
    },
    onError: () => undefined,
    leaseMs: 1500,
    renewMs: 300,
    selfFenceMs: 900,
  });
  await using _held = lease;
  await lease.begin();
  const before = lease.id;
  isAway = true;
  await delay(1500);
  // Nothing is begun or taken under an id that has no lease.
  expect(lease.isHeld).toBe(false);
  expect(() => lease.id).toThrow('no lease');
  isAway = false;
  await vi.waitFor(() => expect(lease.isHeld).toBe(true), { timeout: 6000 });
  expect(registered.has(lease.id)).toBe(true);
  expect({ losses, isSameId: lease.id === before }).toEqual({ losses: 1, isSameId: false });
});

test('is replaced at once when it has run out', async () => {
  const lost: string[] = [];
  let isKnown = true;
  const lease = new Lease({
    instances: {
      register: async () => undefined,
      renew: async () => isKnown,
      remove: async () => undefined,
      removeDead: async () => undefined,
    } as never,
    address: () => 'http://127.0.0.1:1',
    newId: () => randomIds().uuid(),
    clock: systemClock,
    onLost: () => void lost.push('lost'),
    onError: () => undefined,
    ...{ leaseMs: 1500, renewMs: 100, selfFenceMs: 900 },
  });
  await using _held = lease;
  await lease.begin();
  const { id } = lease;
  isKnown = false;
  await vi.waitFor(() => expect(lost).toEqual(['lost']), { timeout: 2000 });
  isKnown = true;
  await vi.waitFor(() => expect(lease.isHeld && lease.id !== id).toBe(true), { timeout: 2000 });
});
