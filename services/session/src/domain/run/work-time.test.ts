import { describe, expect, test } from 'vitest';
import { durable, spanEnd, spanStart } from '../../../tests/doubles/said.ts';
import { eventTime, type UnplacedEvent } from '../event/agent-event.ts';
import { WorkTime } from './work-time.ts';

function beginAfter(...events: readonly UnplacedEvent[]): number | undefined {
  const time = new WorkTime();
  events.forEach((event) => time.note(event));
  return time.beginMs;
}
const waiting = (ms: number): UnplacedEvent => ({
  ...durable({ case: 'runWaiting', value: { interrupts: [] } }),
  time: eventTime(ms),
});
const attempt = (ms: number): UnplacedEvent => ({
  ...durable({ case: 'runAttempt', value: { attempt: 2, reason: 1 } }),
  time: eventTime(ms),
});
const root = spanStart('root', '', {}, 100);
const turn = (ms: number) => spanStart('turn', 'root', {}, ms);

describe('the time of an agent', () => {
  test('does not count before an executor has begun', () => {
    expect(beginAfter(root, attempt(500))).toBeUndefined();
    expect(beginAfter(root, waiting(200), attempt(500))).toBeUndefined();
  });

  test('counts from the first thing that an executor did, over all dispatches', () => {
    const later = [attempt(5000), turn(5100), spanEnd('turn', 'root', 5200), attempt(9000), turn(9100)];
    expect(beginAfter(root, turn(1000), ...later)).toBe(1000);
  });

  test('stands still while the run waits for its user, each time', () => {
    const waits = [waiting(2000), attempt(62_000), turn(62_100), waiting(63_000), attempt(64_000)];
    expect(beginAfter(root, turn(1000), ...waits)).toBe(62_000);
    expect(beginAfter(root, turn(1000), ...waits, attempt(70_000))).toBe(62_000);
  });

  test('does not run backwards where clocks differ', () => {
    expect(beginAfter(root, turn(1000), waiting(5000), attempt(4000))).toBe(1000);
  });
});
