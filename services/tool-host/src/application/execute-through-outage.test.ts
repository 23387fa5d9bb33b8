import { DomainError } from '@spanwise/kernel';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { changedLedger } from '../../tests/changed-ledger.ts';
import { countingProbe } from '../../tests/probe.ts';
import { type SharedLedger, sharedLedger, ToolBench, toolCall } from '../../tests/tool-calls.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const key = toolCall('probe', {});

/** Lets time pass until something has come to its end. */
async function passTime<Result>(work: Promise<Result>): Promise<Result> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  work.then(end, end);
  while (!isOver) {
    await vi.advanceTimersByTimeAsync(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return work;
}

test('takes back what it has not begun when its caller is gone by then', async () => {
  const shared = sharedLedger();
  const caller = new AbortController();
  const gone = new DomainError('cancelled', 'REQUEST_CANCELLED', 'gone');
  const leaving = withLedger(shared, {
    begin: async (start) => {
      const verdict = await shared.ledger.begin(start);
      caller.abort(gone);
      return verdict;
    },
  });
  const { counted, tool } = countingProbe('NON_REPEATABLE');
  const frames = new ToolBench([tool], leaving).execute(key, caller.signal);
  await expect(Array.fromAsync(frames)).rejects.toBe(gone);
  expect(counted.count).toBe(0);
  expect(await shared.ledger.find(key)).toBeUndefined();
});

test('begins nothing when its lease was lost while the beginning was written down', async () => {
  const shared = sharedLedger();
  const losing = withLedger(shared, {
    begin: async (start) => {
      const verdict = await shared.ledger.begin(start);
      bench.instance.id = 'another';
      return verdict;
    },
  });
  const { counted, tool } = countingProbe('NON_REPEATABLE');
  const bench = new ToolBench([tool], losing);
  await expect(passTime(bench.frames('probe', {}))).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  expect(counted.count).toBe(0);
  expect(await shared.ledger.find(key)).toBeUndefined();
});

test('executes nothing while the database is away, and once when it is back, though its row had come through', async () => {
  const shared = sharedLedger();
  let isAway = true;
  const unavailable = new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');
  const losing = withLedger(shared, {
    begin: async (start) => {
      const verdict = await shared.ledger.begin(start);
      if (isAway) {
        throw unavailable;
      }
      return verdict;
    },
    withdraw: (start) => (isAway ? Promise.reject(unavailable) : shared.ledger.withdraw(start)),
  });
  const { counted, tool } = countingProbe('NON_REPEATABLE');
  const bench = new ToolBench([tool], losing);
  await expect(passTime(bench.frames('probe', {}))).rejects.toBe(unavailable);
  expect(counted.count).toBe(0);
  expect(await shared.ledger.find(key)).toMatchObject({ state: 'STARTED' });
  isAway = false;
  const retried = passTime(bench.call('probe', {}));
  await bench.records.flush();
  expect((await retried).result.outcome).toBe('ok');
  expect(counted.count).toBe(1);
});

test('goes on with its own row when the answer to the commit was lost', async () => {
  const shared = sharedLedger();
  let lost = 1;
  const losing = withLedger(shared, {
    begin: async (start) => {
      const verdict = await shared.ledger.begin(start);
      if (lost-- > 0) {
        throw new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');
      }
      return verdict;
    },
  });
  const { counted, tool } = countingProbe('NON_REPEATABLE');
  expect((await passTime(new ToolBench([tool], losing).call('probe', {}))).result.outcome).toBe('ok');
  expect(counted.count).toBe(1);
});

test('tells no result that is not in the ledger, and makes the call UNKNOWN as soon as it can', async () => {
  const shared = sharedLedger();
  let isBroken = true;
  const broken = withLedger(shared, {
    settle: (start, settlement) =>
      isBroken ? Promise.reject(new TypeError('broken')) : shared.ledger.settle(start, settlement),
  });
  const { tool } = countingProbe('NON_REPEATABLE');
  const bench = new ToolBench([tool], broken);
  const { result, spans } = await bench.call('probe', {});
  expect(result).toMatchObject({ outcome: 'unknown', text: expect.stringContaining('It is not known whether') });
  expect(spans.at(-1)).toMatchObject({ status: 'error', errorType: 'SERVICE_UNAVAILABLE' });
  expect(bench.logged).toEqual(['error: not recorded']);
  isBroken = false;
  await bench.records.flush();
  expect((await shared.ledger.find(key))?.state).toBe('UNKNOWN');
});

function withLedger({ ledger, ...shared }: SharedLedger, changed: Partial<SharedLedger['ledger']>): SharedLedger {
  return { ...shared, ledger: changedLedger(ledger, changed) };
}
