import { expect, test } from 'vitest';
import { limitBeyond, noUsage } from './usage.ts';

const quota = { maxBytes: 10, maxFiles: 2 };

test('lets use and reservations together fill a quota, and nothing beyond', () => {
  const now = { bytes: 3, files: 1, reservedBytes: 4, reservedFiles: 0 };
  const beyond = (change: Partial<typeof now>) => limitBeyond(quota, now, { ...noUsage, ...change });
  expect([
    beyond({ bytes: 3, files: 1 }),
    beyond({ bytes: 4 }),
    beyond({ reservedBytes: 4 }),
    beyond({ files: 2 }),
    beyond({ reservedFiles: 1, files: 1 }),
  ]).toEqual([
    undefined,
    { name: 'disk_bytes', max: 10 },
    { name: 'disk_bytes', max: 10 },
    { name: 'disk_files', max: 2 },
    { name: 'disk_files', max: 2 },
  ]);
});

test('allows whoever has too much what does not grow', () => {
  const now = { bytes: 30, files: 5, reservedBytes: 5, reservedFiles: 1 };
  const beyond = (change: Partial<typeof now>) => limitBeyond(quota, now, { ...noUsage, ...change });
  expect([
    beyond({ bytes: -1, files: -1 }),
    beyond({ bytes: 5, reservedBytes: -5, files: 1, reservedFiles: -1 }),
    beyond({ bytes: -20, files: 1 }),
  ]).toEqual([undefined, undefined, { name: 'disk_files', max: 2 }]);
});

test('has no limit where a quota names none', () => {
  const huge = { ...noUsage, bytes: 2 ** 50, files: 2 ** 40 };
  expect([limitBeyond({}, huge, huge), limitBeyond({ maxBytes: 1 }, noUsage, { ...noUsage, files: 9 })]).toEqual([
    undefined,
    undefined,
  ]);
});
