import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientView } from './clients/client-view.ts';
import { History } from './clients/history.ts';
import { RecordedClient } from './clients/recorded-client.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { Evidence } from './evidence/evidence.ts';
import { childrenOf, socketsOf } from './evidence/process-resources.ts';
import { countUnfinished, readDatabase } from './evidence/read-database.ts';
import { FaultLog } from './nemesis/fault-log.ts';
import { Nemesis } from './nemesis/nemesis.ts';
import type { ScriptedProvider } from './provider/scripted-provider.ts';
import { seededRandom } from './random.ts';
import { type Scenario, type ScenarioContext, ScenarioOutcome } from './scenarios/scenario.ts';
import type { SuiteOptions } from './suite-options.ts';

const defaultToolSeconds = 60;
/** Beyond lease and reaper: starting processes on a small machine, tools and retries. */
const slackMs = 60_000;
/** For connections of clients to be seen as closed. */
const afterClientsMs = 1500;

/** Scenarios that are played on one cluster, one after the other, and what is to be seen of them in the end. */
export class PlayedScenarios {
  readonly faults = new FaultLog();
  readonly #cluster: Cluster;
  readonly #provider: ScriptedProvider;
  readonly #options: SuiteOptions;
  readonly #history: History;
  readonly #views: ClientView[] = [];
  readonly #clients: RecordedClient[] = [];
  readonly #settled: (() => Promise<void>)[] = [];
  readonly #outcomes = new Map<string, ScenarioOutcome>();

  constructor(cluster: Cluster, provider: ScriptedProvider, options: SuiteOptions) {
    this.#cluster = cluster;
    this.#provider = provider;
    this.#options = options;
    const { logFolder } = options.cluster ?? {};
    this.#history = new History(logFolder === undefined ? undefined : join(logFolder, 'history.jsonl'));
    provider.onFault = (fault, script) => this.faults.add('model', `${fault} ${script}`);
  }

  get unmet(): readonly string[] {
    return [...this.#outcomes].flatMap(([name, { unmet }]) => unmet.map((what) => `${name}: ${what}`));
  }

  async play(scenario: Scenario): Promise<void> {
    const { name, title } = scenario;
    this.#options.say(`${name} ${title}`);
    const outcome = new ScenarioOutcome();
    this.#outcomes.set(name, outcome);
    try {
      await scenario.play(this.#contextOf(scenario, outcome));
    } catch (error) {
      outcome.unmet.push(
        `the scenario broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }

  /** Makes the system whole, waits until nothing goes on any more, and collects what there is to be seen. */
  async end(socketsBefore: readonly number[], scenarios: readonly Scenario[]): Promise<Evidence> {
    const { say, timers, sizes, signal } = this.#options;
    const toolSeconds = sizes.toolSeconds ?? defaultToolSeconds;
    const extraMs = scenarios.map(({ slackMs: extra }) => extra?.({ runs: 0, ...sizes, toolSeconds }) ?? 0);
    const recoveryMs = timers.takeOverMs + slackMs + Math.max(0, ...extraMs);
    this.#cluster.links.healAll();
    this.#cluster.replicas.filter(({ isFrozen }) => isFrozen).forEach((replica) => replica.wake());
    await this.#cluster.untilReady();
    await this.#untilSettled(recoveryMs);
    say('settled');
    const settling = await Promise.allSettled(this.#settled.map((work) => work()));
    const broken = settling.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
    [...this.#outcomes.values()][0]?.unmet.push(...broken);
    this.#clients.forEach((client) => client[Symbol.dispose]());
    this.#cluster.links.matching(/^client/).forEach((link) => link.cut());
    this.#provider.closeIdle();
    await delay(afterClientsMs, undefined, { signal }).catch(() => undefined);
    const rows = await readDatabase(this.#cluster.databaseServerUrl);
    return {
      ...rows,
      history: this.#history.entries,
      views: this.#views,
      effects: await this.#cluster.effects(),
      answers: this.#provider.log.answers,
      faults: this.faults.faults.filter(({ kind }) => kind !== 'model'),
      exits: this.#cluster.replicas.flatMap(({ exits }) => exits),
      secondWriters: this.#cluster.logCounts().secondWriters,
      leftovers: this.#cluster.replicas.map(({ name, pid }, index) => ({
        process: name,
        socketsBefore: socketsBefore[index] ?? 0,
        sockets: socketsOf(pid),
        children: childrenOf(pid),
      })),
      watcherCost: [...this.#outcomes.values()]
        .map(({ watcherCost }) => watcherCost)
        .find((cost) => cost !== undefined),
      readAtMs: Date.now(),
      recoveryMs,
    };
  }

  completedShare(name: string, minCompleted: number, { runs }: Evidence) {
    const outcome = this.#outcomes.get(name);
    const meant = outcome?.meant ?? new Set<string>();
    const completed = runs.filter(({ requestId, status }) => meant.has(requestId) && status === 'COMPLETED').length;
    const isEnough = completed >= meant.size * minCompleted;
    outcome?.expect(isEnough, `only ${completed} of ${meant.size} runs have completed`);
    return { meant: meant.size, completed };
  }

  async #untilSettled(recoveryMs: number): Promise<void> {
    const untilMs = Date.now() + recoveryMs;
    while (Date.now() < untilMs && !this.#options.signal.aborted) {
      if ((await countUnfinished(this.#cluster.databaseServerUrl)) === 0) {
        return;
      }
      await delay(200);
    }
  }

  #contextOf({ name, defaultRuns }: Scenario, outcome: ScenarioOutcome): ScenarioContext {
    const { seed, sizes, say, signal } = this.#options;
    const random = seededRandom(seed).fork(name);
    const [cluster, faults, history] = [this.#cluster, this.faults, this.#history];
    const { balanced, pinned } = cluster.sessionUrls;
    return {
      ...{ cluster, faults, history, random, outcome, signal, provider: this.#provider, views: this.#views },
      nemesis: new Nemesis({ cluster, faults, random: random.fork('nemesis') }),
      sizes: { runs: sizes.runs ?? defaultRuns, toolSeconds: sizes.toolSeconds ?? defaultToolSeconds },
      client: (uid, replica) => {
        const baseUrl = replica === undefined ? balanced : (pinned[replica] ?? balanced);
        const client = new RecordedClient({ name: `${name}/${uid}-${outcome.nextNumber()}`, uid, baseUrl, history });
        this.#clients.push(client);
        return client;
      },
      say: (line) => say(`${name} ${line}`),
      whenSettled: (work) => this.#settled.push(work),
    };
  }
}
