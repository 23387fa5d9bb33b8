import { expect, test } from 'vitest';
import { goodEvidence } from '../../tests/doubles/good-evidence.ts';
import { missedGoals } from './goals.ts';
import { figuresOf } from './run-figures.ts';

const figures = { ...figuresOf(goodEvidence()), cancel: { count: 3, p50: 40, p99: 300, max: 1000 } };

test('a goal is missed when more was needed, or when nothing was measured', () => {
  expect(missedGoals(figures, {})).toEqual([]);
  expect(missedGoals(figures, { cancel: { p50: 40, p99: 300, max: 1000 } })).toEqual([]);
  expect(missedGoals(figures, { cancel: { p50: 39, p99: 250, max: 1000 }, recovery: { max: 3800 } })).toEqual([
    { figure: 'cancel', what: 'p50 40 ms, goal 39 ms' },
    { figure: 'cancel', what: 'p99 300 ms, goal 250 ms' },
    { figure: 'recovery', what: 'max nothing measured, goal 3800 ms' },
  ]);
});
