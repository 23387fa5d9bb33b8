import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { failureOf } from '../../../tests/files-fixture.ts';
import { type Change, deletedFence } from '../../domain/change/change.ts';
import { ChangeGate } from './change-gate.ts';

const sessionId = brandId<SessionId>('00000000-0000-7000-8000-0000000000b1');
const otherSession = brandId<SessionId>('00000000-0000-7000-8000-0000000000b2');
const viewId = brandId<RunId>('00000000-0000-7000-8000-0000000000a1');

function change(epoch: number, key?: string): Change {
  return { viewId, sessionId, epoch, once: key === undefined ? undefined : { key, requestHash: key } };
}

/** A change that goes on until it is let go, and a fence that tells when it has answered. */
function going(gate: ChangeGate, of: Change) {
  const end = Promise.withResolvers<void>();
  const running = gate.run(of, () => end.promise);
  return { end: () => end.resolve(), fail: (error: Error) => end.reject(error), running };
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise((resolve) => setImmediate(() => resolve('pending')));
  return (await Promise.race([promise, turn])) === 'pending';
}

test('lets a fence wait for the changes that it stops', async () => {
  const gate = new ChangeGate();
  const [first, second] = [going(gate, change(1)), going(gate, change(2))];
  const fence = gate.stopped(sessionId, 3);
  first.end();
  expect(await isPending(fence)).toBe(true);
  second.end();
  await fence;
});

test('lets no fence wait for other epochs, sessions, clients outside of runs, and what begins later', async () => {
  const gate = new ChangeGate();
  const others = [
    going(gate, change(3)),
    going(gate, change(0)),
    going(gate, { ...change(1), sessionId: otherSession }),
  ];
  await gate.stopped(sessionId, 3);
  const before = going(gate, change(1));
  const fence = gate.stopped(sessionId, 3);
  const later = going(gate, change(1));
  before.end();
  await fence;
  for (const each of [...others, later]) {
    each.end();
  }
});

test('lets the end of a session wait for every change, also one that fails', async () => {
  const gate = new ChangeGate();
  const client = going(gate, change(0));
  const fence = gate.stopped(sessionId, deletedFence);
  expect(await isPending(fence)).toBe(true);
  client.fail(new Error('disk full'));
  await expect(client.running).rejects.toThrow('disk full');
  await fence;
});

test('does not answer a fence while a change does not end', async () => {
  const gate = new ChangeGate({ maxWaitMs: 1 });
  const stuck = going(gate, change(1));
  expect(await failureOf(gate.stopped(sessionId, 2))).toEqual({ reason: 'DISK_UNAVAILABLE', facts: {} });
  stuck.end();
  await stuck.running;
  await gate.stopped(sessionId, 2);
});

test('makes changes with the same key one after another, others at the same time', async () => {
  const gate = new ChangeGate();
  const first = going(gate, change(1, 'k'));
  const begun: string[] = [];
  const second = gate.run(change(1, 'k'), async () => begun.push('same key'));
  const third = gate.run(change(1, 'l'), async () => begun.push('another key'));
  await third;
  expect(begun).toEqual(['another key']);
  first.fail(new Error('disk full'));
  await expect(first.running).rejects.toThrow('disk full');
  await second;
  expect(begun).toEqual(['another key', 'same key']);
});
