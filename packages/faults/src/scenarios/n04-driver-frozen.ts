import { setTimeout as delay } from 'node:timers/promises';
import { driverOf } from '../evidence/ownership.ts';
import { sawOrDone } from './executors.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

const restMs = 4000;

/** The driver sleeps for three leases; when it wakes, others have its runs, and it must not write a word. */
export const driverFrozen: Scenario = {
  name: 'N4',
  title: 'driver frozen for three leases, then woken',
  defaultRuns: 60,
  minCompleted: 0.9,
  async play(context) {
    const { sizes, faults, outcome, cluster } = context;
    const turns = () => [
      { ...textFor(300), tools: [{ name: 'effect', arguments: { ms: 200 } }] },
      { ...textFor(1500), tools: [{ name: 'effect_idempotent', arguments: {} }] },
      textFor(500),
    ];
    let isCalm = true;
    const during = async (run: LoadRun) => {
      if (isCalm) {
        isCalm = false;
        await freezeDriver(context, run);
        // A run that is lost three times in a row before it gets anywhere is given up, and rightly so.
        await delay(restMs);
        isCalm = true;
      }
    };
    await runLoad(context, { runs: sizes.runs, concurrency: 6, turns, during, untilBegin: () => cluster.untilReady() });
    outcome.expect(faults.count('freeze', 'session') > 0, 'no driver was frozen');
  },
};

async function freezeDriver({ cluster, nemesis, random }: ScenarioContext, run: LoadRun): Promise<void> {
  const runId = await run.runId;
  await sawOrDone(run, 'textDelta', random.between(5, 60));
  const driver = await driverOf(cluster, runId);
  if (driver?.isReady === true && cluster.of('session').every(({ isReady, isFrozen }) => isReady && !isFrozen)) {
    const ms = cluster.timers.leaseMs * 3;
    const [link] = cluster.links
      .matching(/^session-\d→agent-runtime$/)
      .filter(({ name }) => !name.startsWith(driver.name));
    // In half of the cases whoever takes the runs gets nowhere: then the old driver finds the log as it has left it.
    const holding =
      link === undefined || random.chance(0.5) ? undefined : nemesis.hold(link, ms + 1000, 'forth', 'back');
    await Promise.all([nemesis.freeze(driver, ms), holding]);
  }
}
