import { setTimeout as delay } from 'node:timers/promises';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { isRefusal } from '../checkers/file-calls.ts';
import type { ServiceProcess } from '../cluster/service-process.ts';
import { serviceNames } from '../cluster/service-program.ts';
import { readDatabase } from '../evidence/read-database.ts';
import type { Random } from '../random.ts';
import { runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { mixedTurns, textFor } from './scripts.ts';

const rounds = 5;
/** As the deployment gives it: longer than the slowest service may take. */
const graceMs = 150_000;

/** Every process is replaced five times while runs with long tools go on. */
export const rollingRestart: Scenario = {
  name: 'N11',
  title: 'rolling restart of all services, five times, with long tools in flight',
  defaultRuns: 60,
  minCompleted: 1,
  slackMs: ({ toolSeconds }) => toolSeconds * 1000,
  async play(context) {
    const { sizes, outcome, faults, cluster } = context;
    const over = new AbortController();
    const longTurns = (random: Random, index: number, hasFiles: boolean) =>
      index % 3 === 0
        ? [{ ...textFor(200), tools: [{ name: 'slow', arguments: { ms: sizes.toolSeconds * 1000 } }] }, textFor(200)]
        : mixedTurns(random, index, hasFiles);
    let isOver = false;
    // Until the last process was replaced, and at least as many runs as were asked for.
    const load = (async () => {
      do {
        await runLoad(context, { runs: sizes.runs, concurrency: 10, turns: longTurns });
      } while (!isOver);
    })();
    for (let round = 0; round < (sizes.runs < 30 ? 1 : rounds); round += 1) {
      await rollAll(context, round);
    }
    isOver = true;
    over.abort();
    await load;
    outcome.expect(faults.count('drain') >= cluster.replicas.length, 'not every process was replaced');
    context.whenSettled(() => expectNothingLost(context));
  },
};

/** Every second round one service after the other; in between all at the same time, as independent rollouts would. */
async function rollAll({ cluster, nemesis, say }: ScenarioContext, round: number): Promise<void> {
  const roll = async (replica: ServiceProcess) => {
    await nemesis.roll(replica, graceMs);
    await delay(500);
  };
  if (round % 2 === 0) {
    for (const index of cluster.of('session').keys()) {
      const replicas = serviceNames.flatMap((service) => cluster.of(service)[index] ?? []);
      await Promise.all(replicas.map(roll));
    }
  } else {
    for (const replica of cluster.replicas) {
      await roll(replica);
    }
  }
  say(`round ${round + 1} is done`);
}

/**
 * No run failed, of no call it is unknown what became of it (one that does not fit the files that are there is refused), and no stream broke that had carried something: one that is
 * refused by a replica which is just leaving has not.
 */
async function expectNothingLost({ cluster, outcome, history }: ScenarioContext): Promise<void> {
  const { runs, events } = await readDatabase(cluster.databaseServerUrl);
  const meant = runs.filter(({ requestId }) => outcome.meant.has(requestId));
  const failed = meant.filter(({ status }) => status === 'FAILED').length;
  const ids = new Set(meant.map(({ id }) => id));
  const lost = events.filter(({ event, runId }) => {
    const { data } = event;
    const isLost = data.case === 'toolResult' && data.value.outcome !== ToolOutcome.OK && !isRefusal(data.value);
    return ids.has(runId) && isLost;
  }).length;
  const broken = history.entries.filter(
    (entry) =>
      entry.kind === 'reconnect' && entry.why !== 'handoff' && entry.afterSeq > 0 && entry.client.startsWith('N11/'),
  ).length;
  outcome.expect(broken === 0, `${broken} streams broke off instead of being handed off`);
  outcome.expect(failed === 0, `${failed} runs have failed`);
  outcome.expect(lost === 0, `${lost} calls were not answered with ok`);
}
