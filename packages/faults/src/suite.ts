import { checkAll } from './checkers/check-all.ts';
import type { Violation } from './checkers/violation.ts';
import { startCluster } from './cluster/cluster.ts';
import type { LogCounts } from './cluster/service-log.ts';
import { socketsOf } from './evidence/process-resources.ts';
import { type MissedGoal, missedGoals } from './figures/goals.ts';
import { figuresOf, type RunFigures } from './figures/run-figures.ts';
import { PlayedScenarios } from './played-scenarios.ts';
import { startScriptedProvider } from './provider/scripted-provider.ts';
import { seededRandom } from './random.ts';
import type { Scenario } from './scenarios/scenario.ts';
import type { SuiteOptions } from './suite-options.ts';

/** What came of scenarios that were played on one cluster. */
export interface ScenarioResult {
  readonly names: readonly string[];
  readonly seconds: number;
  readonly violations: readonly Violation[];
  /** What had to happen and did not. */
  readonly unmet: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly figures: RunFigures;
  /** Goals of the scenario that the figures do not reach; not looked at when several share a cluster. */
  readonly missed: readonly MissedGoal[];
  readonly log: LogCounts;
  /** Runs that were meant to complete, and those that did. */
  readonly meant: number;
  readonly completed: number;
}

/** Starts a cluster, plays scenarios on it one after the other, makes it whole again, and looks at what happened. */
export async function playScenarios(scenarios: readonly Scenario[], options: SuiteOptions): Promise<ScenarioResult> {
  await using resources = new AsyncDisposableStack();
  const startedMs = performance.now();
  const provider = resources.use(await startScriptedProvider());
  const random = seededRandom(options.seed);
  const cluster = resources.use(
    await startCluster({
      timers: options.timers,
      random: random.fork('cluster'),
      modelUrl: provider.baseUrl,
      ...options.cluster,
      env: Object.assign({}, ...scenarios.map(({ env }) => env), options.cluster?.env),
    }),
  );
  options.say(`cluster ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  const played = new PlayedScenarios(cluster, provider, options);
  const socketsBefore = cluster.replicas.map(({ pid }) => socketsOf(pid));
  for (const scenario of scenarios) {
    await played.play(scenario);
  }
  const evidence = await played.end(socketsBefore, scenarios);
  // Before the checks: they keep this process, and with it all links, busy for seconds.
  const log = cluster.logCounts();
  const meant = scenarios.map(({ name, minCompleted }) => played.completedShare(name, minCompleted, evidence));
  const figures = figuresOf(evidence);
  const goals = scenarios.length === 1 ? scenarios[0]?.goals?.(options.timers) : undefined;
  return {
    names: scenarios.map(({ name }) => name),
    seconds: (performance.now() - startedMs) / 1000,
    violations: checkAll(evidence),
    unmet: played.unmet,
    faults: played.faults.byKind(),
    figures,
    missed: missedGoals(figures, goals ?? {}),
    log,
    meant: meant.reduce((sum, each) => sum + each.meant, 0),
    completed: meant.reduce((sum, each) => sum + each.completed, 0),
  };
}
