import type { ClusterOptions } from './cluster/cluster.ts';
import type { ClusterTimers } from './cluster/timers.ts';
import type { ScenarioSizes } from './scenarios/scenario.ts';

/** How scenarios are played. */
export interface SuiteOptions {
  readonly seed: number;
  readonly timers: ClusterTimers;
  /** Sizes; what is undefined is the scenario's own. */
  readonly sizes: Partial<ScenarioSizes>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly cluster?: Partial<ClusterOptions>;
}
