import { describe, expect, test } from 'vitest';
import { readOptions } from './options.ts';
import { allScenarios } from './scenarios/all-scenarios.ts';

describe('the options of the command line', () => {
  test('are all scenarios in their own sizes unless told otherwise', () => {
    expect(readOptions([])).toMatchObject({ scenarios: allScenarios, sizes: {}, seed: 1 });
    expect(readOptions([])).toMatchObject({ hasProductionTimers: false, hasGoals: false });
    expect(readOptions(['--goals']).hasGoals).toBe(true);
    expect(allScenarios.map(({ name }) => name)).toEqual(Array.from({ length: 18 }, (_, index) => `N${index + 1}`));
  });

  test('name scenarios, sizes and the seed', () => {
    const options = readOptions(['--scenario', 'n1,N7', '--runs', '50', '--seed', '9', '--tool-seconds', '5']);
    expect(options.scenarios.map(({ name }) => name)).toEqual(['N1', 'N7']);
    expect(options).toMatchObject({ sizes: { runs: 50, toolSeconds: 5 }, seed: 9 });
  });

  test.each([[['--scenario', 'N99']], [['--runs', 'many']], [['--seed', '0.5']]])('refuse %s', (args) => {
    expect(() => readOptions(args)).toThrow(/^--/);
  });
});
