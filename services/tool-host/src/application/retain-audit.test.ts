import { expect, test } from 'vitest';
import { retainAudit } from './retain-audit.ts';

const dayMs = 24 * 60 * 60 * 1000;

test('deletes batch after batch until there is none that is full', async () => {
  const asked: unknown[] = [];
  let left = 2300;
  const removeOlder = async (ageMs: number, limit: number) => {
    asked.push({ ageMs, limit });
    const gone = Math.min(left, limit);
    left -= gone;
    return gone;
  };
  expect([await retainAudit({ removeOlder }, 7), left]).toEqual([2300, 0]);
  expect(asked).toEqual(Array.from({ length: 3 }, () => ({ ageMs: 7 * dayMs, limit: 1000 })));
});
