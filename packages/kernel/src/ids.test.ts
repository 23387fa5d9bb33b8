import { expect, test } from 'vitest';
import { randomIds } from './ids.ts';

test('makes version 7 ids that sort in the order in which they were made', () => {
  const ids = randomIds(() => 1_800_000_000_000);
  const made = Array.from({ length: 10_000 }, () => ids.uuid());
  expect(new Set(made).size).toBe(made.length);
  expect(made).toEqual([...made].sort());
  expect(made[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('makes span and trace ids in the form of OpenTelemetry', () => {
  const ids = randomIds();
  expect(ids.spanId()).toMatch(/^[0-9a-f]{16}$/);
  expect(ids.traceId()).toMatch(/^[0-9a-f]{32}$/);
});
