import type { GoalFigure } from './figures/goals.ts';
import type { Spread } from './figures/percentiles.ts';
import { countBy } from './figures/run-figures.ts';
import type { ScenarioResult } from './suite.ts';

/** Violations that are told in full. */
const shownViolations = 20;

/** Whether nothing is wrong. */
export function isClean({ violations, unmet }: ScenarioResult): boolean {
  return violations.length === 0 && unmet.length === 0;
}

/** What came of the scenarios of one cluster, for people. */
export function reportLines(result: ScenarioResult): readonly string[] {
  const { names, seconds, figures, faults, log, violations, unmet, completed, meant } = result;
  const { fenceRefusals, ambiguousCommits, leasesLost, takeOvers, catchUps } = log;
  const figure = (of: GoalFigure) => {
    const missed = result.missed.flatMap((each) => (each.figure === of ? [`; goal missed: ${each.what}`] : []));
    return `${spread(figures[of])}${missed.join('')}`;
  };
  return [
    `${names.join(', ')}: ${isClean(result) ? 'fine' : 'NOT FINE'} after ${seconds.toFixed(0)} s`,
    `  runs          ${counts(figures.runs)}; ${completed} of ${meant} that were meant to complete did`,
    `  failures      ${counts(figures.failures)}`,
    `  faults        ${counts(faults)}`,
    `  attempts      ${counts(figures.attempts)}`,
    `  reconnects    ${counts(figures.reconnects)}`,
    `  effects       ${figures.effects}`,
    `  files         ${figures.filesPublished} published, ${figures.filesOverwritten} of them overwritten`,
    `  logs          ${takeOvers} take-overs, ${fenceRefusals} fence refusals, ${ambiguousCommits} ambiguous commits, ${leasesLost} leases lost, ${catchUps} catch-ups of watchers`,
    `  cancel        ${figure('cancel')}`,
    `  rollback      ${figure('rollback')}`,
    `  recovery      ${figure('recovery')}`,
    `  … of killed   ${figure('recoveryOfKilled')}`,
    `  … of frozen   ${figure('recoveryOfFrozen')}`,
    ...violations.slice(0, shownViolations).map(({ invariant, what }) => `  ${invariant}: ${what}`),
    ...(violations.length > shownViolations ? [`  … and ${violations.length - shownViolations} more`] : []),
    ...unmet.map((what) => `  not met: ${what}`),
  ];
}

/** Goals that were missed, one a line. */
export function missedLines(results: readonly ScenarioResult[]): readonly string[] {
  return results.flatMap(({ names, missed }) =>
    missed.map(({ figure, what }) => `goal missed: ${names.join('+')} ${figure} ${what}`),
  );
}

/** The last lines: one for each scenario. */
export function tableLines(seed: number, results: readonly ScenarioResult[]): readonly string[] {
  const rows = results.map(({ names, seconds, figures, faults, log, violations, unmet }) => [
    names.join('+'),
    String(Object.values(figures.runs).reduce((sum, count) => sum + count, 0)),
    String(figures.runs.COMPLETED ?? 0),
    String(Object.values(faults).reduce((sum, count) => sum + count, 0)),
    String(Object.values(figures.attempts).reduce((sum, count) => sum + count, 0)),
    String(log.fenceRefusals),
    milliseconds(figures.cancel),
    milliseconds(figures.recovery),
    counts(countBy(violations.map(({ invariant }) => invariant))),
    String(unmet.length),
    seconds.toFixed(0),
  ]);
  const head = [
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
  ];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [`seed ${seed}`, line(head), ...rows.map(line)];
}

function counts(of: Readonly<Record<string, number>>): string {
  const parts = Object.entries(of).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function spread(of: Spread | undefined): string {
  return of === undefined ? 'none' : `${of.count}: p50/p99/max ${milliseconds(of)} ms`;
}

function milliseconds(of: Spread | undefined): string {
  return of === undefined ? '-' : [of.p50, of.p99, of.max].map((each) => each.toFixed(0)).join('/');
}
