import { expect, test } from 'vitest';
import { goodEvidence } from '../tests/doubles/good-evidence.ts';
import { ServiceLog } from './cluster/service-log.ts';
import { figuresOf } from './figures/run-figures.ts';
import { isClean, missedLines, reportLines, tableLines } from './report.ts';
import type { ScenarioResult } from './suite.ts';

const result: ScenarioResult = {
  ...{ names: ['N1'], seconds: 12.3, violations: [], unmet: [], faults: { kill: 3 }, meant: 1, completed: 1 },
  figures: figuresOf(goodEvidence()),
  missed: [],
  log: new ServiceLog().counts,
};

test('a report says what happened, and in its last lines what was wrong', () => {
  const bad: ScenarioResult = { ...result, violations: [{ invariant: 'I7', what: 'run x' }], unmet: ['N1: too few'] };
  expect([isClean(result), isClean(bad)]).toEqual([true, false]);
  expect(reportLines(bad)).toEqual(expect.arrayContaining(['  I7: run x', '  not met: N1: too few']));
  expect(tableLines(5, [result, bad]).map((line) => line.split(/\s{2,}/))).toEqual([
    ['seed 5'],
    [
      'case',
      'runs',
      'completed',
      'faults',
      'take-overs',
      'fenced',
      'cancel p50/p99/max',
      'recovery',
      'violations',
      'unmet',
      's',
    ],
    ['N1', '1', '1', '3', '1', '0', '-', '-', 'none', '0', '12'],
    ['N1', '1', '1', '3', '1', '0', '-', '-', '1 I7', '1', '12'],
  ]);
});

test('a goal that was missed stands beside its figure, and in a line of its own', () => {
  const late: ScenarioResult = { ...result, missed: [{ figure: 'cancel', what: 'p99 760 ms, goal 250 ms' }] };
  expect(isClean(late)).toBe(true);
  expect(reportLines(late)).toContain('  cancel        none; goal missed: p99 760 ms, goal 250 ms');
  expect(missedLines([result, late])).toEqual(['goal missed: N1 cancel p99 760 ms, goal 250 ms']);
});
