import type { Invariant } from './checkers/violation.ts';
import { countBy } from './figures/run-figures.ts';
import { driverKilled } from './scenarios/n02-driver-killed.ts';
import { driverFrozen } from './scenarios/n04-driver-frozen.ts';
import { randomCancels } from './scenarios/n07-cancels.ts';
import { runtimeLink } from './scenarios/n09-runtime-link.ts';
import { toolLink } from './scenarios/n10-tool-link.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { playScenarios } from './suite.ts';
import type { SuiteOptions } from './suite-options.ts';

/** A guard that is taken out of the services, and where its absence must be noticed. */
interface Mutant {
  /** Names of the guards: what `SPANWISE_TEST_WITHOUT` is set to. */
  readonly guards: readonly string[];
  readonly scenario: Scenario;
  readonly runs: number;
  /** Invariants of which at least one must be seen broken. */
  readonly caughtBy: readonly Invariant[];
  /** What one of those violations must say; default anything. */
  readonly sign?: RegExp;
}

const mutants: readonly Mutant[] = [
  // An old driver does not get past last_seq either, as long as whoever took the run has announced it: both are taken out.
  // That nothing was announced is seen as well, so only a second writer counts.
  {
    ...{ guards: ['appendsOnlyInOwnEpoch', 'announcesAttempt'], scenario: driverFrozen, runs: 60 },
    caughtBy: ['I1', 'I2', 'I3', 'I8', 'I10', 'I13'],
    sign: /second writer/,
  },
  { guards: ['fencesBeforeDispatch'], scenario: runtimeLink, runs: 60, caughtBy: ['I11', 'I12'] },
  { guards: ['nonRepeatableAtMostOnce'], scenario: toolLink, runs: 40, caughtBy: ['I11'] },
  { guards: ['finishingUnlessCancelRequested'], scenario: randomCancels, runs: 400, caughtBy: ['I7'] },
  { guards: ['announcesAttempt'], scenario: driverKilled, runs: 12, caughtBy: ['I3'] },
];

/**
 * The suite proves itself: with each guard taken out it must turn red, by an invariant that the guard is there for. Only
 * the mutants are played that one of the scenarios shows. Answers the exit code.
 */
export async function playMutants(shown: readonly Scenario[], options: SuiteOptions): Promise<number> {
  const { say } = options;
  const rows: string[] = [];
  let escaped = 0;
  for (const { guards, scenario, runs, caughtBy, sign = /./ } of mutants.filter((mutant) =>
    shown.includes(mutant.scenario),
  )) {
    const { violations } = await playScenarios([scenario], {
      ...options,
      sizes: { runs, ...options.sizes },
      cluster: { env: { SPANWISE_TEST_WITHOUT: guards.join(',') } },
    });
    const seen = countBy(violations.map(({ invariant }) => invariant));
    const isCaught = violations.some(({ invariant, what }) => caughtBy.includes(invariant) && sign.test(what));
    escaped += isCaught ? 0 : 1;
    const by = Object.entries(seen).map(([invariant, count]) => `${count} ${invariant}`);
    rows.push(`without ${guards.join(' and ').padEnd(44)} ${isCaught ? 'caught' : 'NOT CAUGHT'}  ${by.join(', ')}`);
    violations.slice(0, 3).forEach(({ invariant, what }) => say(`  ${invariant}: ${what}`));
  }
  rows.forEach(say);
  return escaped === 0 ? 0 : 1;
}
