import { findProgram } from '@spanwise/testing';
import { describe, expect, onTestFailed, test } from 'vitest';
import { shortTimers } from '../src/cluster/timers.ts';
import { reportLines } from '../src/report.ts';
import { randomKills } from '../src/scenarios/n01-random-kills.ts';
import { executorLost } from '../src/scenarios/n03-executor-lost.ts';
import { randomCancels } from '../src/scenarios/n07-cancels.ts';
import { rollingRestart } from '../src/scenarios/n11-rolling-restart.ts';
import { playScenarios } from '../src/suite.ts';

const canPlay = findProgram('mariadbd', 'mysqld') !== undefined && findProgram('nats-server') !== undefined;

describe.skipIf(!canPlay)('two replicas of every service under faults', () => {
  test('lose nothing, do nothing twice, and end every run', { timeout: 400_000 }, async ({ signal }) => {
    const lines: string[] = [];
    const scenarios = [
      { ...randomKills, defaultRuns: 24 },
      { ...executorLost, defaultRuns: 4 },
      { ...randomCancels, defaultRuns: 20 },
      { ...rollingRestart, defaultRuns: 12 },
    ];
    const say = (line: string) => void lines.push(line);
    const result = await playScenarios(scenarios, {
      ...{ seed: 1, timers: shortTimers, sizes: { toolSeconds: 5 }, say, signal },
    });
    onTestFailed(() => void process.stdout.write(`${[...lines, ...reportLines(result)].join('\n')}\n`));
    const { violations, unmet } = result;
    expect({ violations, unmet }).toEqual({ violations: [], unmet: [] });
  });
});
