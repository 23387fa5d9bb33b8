import type { Environment } from '@spanwise/service-kit';
import type { ClientView } from '../clients/client-view.ts';
import type { History } from '../clients/history.ts';
import type { RecordedClient } from '../clients/recorded-client.ts';
import type { Cluster, ClusterOptions } from '../cluster/cluster.ts';
import type { ClusterTimers } from '../cluster/timers.ts';
import type { WatcherCost } from '../evidence/evidence.ts';
import type { Goals } from '../figures/goals.ts';
import type { FaultLog } from '../nemesis/fault-log.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import type { ScriptedProvider } from '../provider/scripted-provider.ts';
import type { Random } from '../random.ts';

/** Sizes of a scenario. */
export interface ScenarioSizes {
  readonly runs: number;
  /** How long the tools of the rolling restart take. */
  readonly toolSeconds: number;
}

/** What a scenario works with. */
export interface ScenarioContext {
  readonly cluster: Cluster;
  readonly provider: ScriptedProvider;
  readonly history: History;
  readonly faults: FaultLog;
  readonly nemesis: Nemesis;
  readonly random: Random;
  readonly sizes: ScenarioSizes;
  /** What clients saw; looked at in the end. */
  readonly views: ClientView[];
  readonly signal: AbortSignal;
  readonly outcome: ScenarioOutcome;
  /** A caller of its own connection, to both replicas or to one of them. Ends with the scenario. */
  client(uid: string, replica?: number): RecordedClient;
  readonly say: (line: string) => void;
  /** Done once the system is whole again and every run has come to its end. */
  whenSettled(work: () => Promise<void>): void;
}

/** What a scenario says about itself. */
export class ScenarioOutcome {
  /** Ids of scripts whose runs are meant to complete. */
  readonly meant = new Set<string>();
  readonly unmet: string[] = [];
  watcherCost: WatcherCost | undefined;
  #named = 0;

  /** Something that must have happened for the scenario to have shown anything. */
  expect(isMet: boolean, what: string): void {
    if (!isMet) {
      this.unmet.push(what);
    }
  }

  /** A number that no other script, session or client of the scenario has. */
  nextNumber(): number {
    this.#named += 1;
    return this.#named;
  }
}

/** One way of doing harm, under load. */
export interface Scenario {
  /** `N1` to `N18`. */
  readonly name: string;
  readonly title: string;
  /** Runs when the command line does not say. */
  readonly defaultRuns: number;
  /** Share of the runs that are meant to complete which has to; 0 to 1. */
  readonly minCompleted: number;
  /** Milliseconds beyond the usual that runs may need after the last fault. */
  readonly slackMs?: (sizes: ScenarioSizes) => number;
  readonly env?: Environment;
  /** What it may take; default: nothing is said about that. */
  readonly goals?: (timers: ClusterTimers) => Goals;
  /** Makes what the cluster needs, such as a small disk; undefined: the scenario can not be played here, and says why. */
  readonly prepare?: (say: (line: string) => void) => Promise<PreparedCluster | undefined>;
  play(context: ScenarioContext): Promise<void>;
}

/** What a scenario changes of the cluster, and what is to be removed after it. */
export interface PreparedCluster extends AsyncDisposable {
  readonly options: Partial<ClusterOptions>;
}
