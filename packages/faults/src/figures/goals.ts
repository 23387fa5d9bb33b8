import type { Spread } from './percentiles.ts';
import type { RunFigures } from './run-figures.ts';

type Measure = 'p50' | 'p99' | 'max';
/** The figures that a goal can be set for. */
export type GoalFigure = 'cancel' | 'rollback' | 'recovery' | 'recoveryOfKilled' | 'recoveryOfFrozen';

/** What may be taken at most, in milliseconds. */
export type Goals = Partial<Record<GoalFigure, Partial<Record<Measure, number>>>>;

/** A goal that was not reached. */
export interface MissedGoal {
  readonly figure: GoalFigure;
  /** For example `p99 760 ms, goal 250 ms`. */
  readonly what: string;
}

/** The goals that figures do not reach; one for which nothing was measured is missed as well. */
export function missedGoals(figures: RunFigures, goals: Goals): readonly MissedGoal[] {
  return (Object.entries(goals) as [GoalFigure, NonNullable<Goals[GoalFigure]>][]).flatMap(([figure, limits]) =>
    (Object.entries(limits) as [Measure, number][]).flatMap(([measure, limit]) => {
      const measured: Spread | undefined = figures[figure];
      const what = measured === undefined ? 'nothing measured' : `${measured[measure].toFixed(0)} ms`;
      return measured !== undefined && measured[measure] <= limit
        ? []
        : [{ figure, what: `${measure} ${what}, goal ${limit} ms` }];
    }),
  );
}
