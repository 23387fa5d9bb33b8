import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { cancelRun } from './cancels.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

/**
 * The broker is killed, its links lose every other connection, are late and cut. A half of the runs is cancelled
 * meanwhile. That the broker delivers something twice is what its own retry (the request is sent twice) makes happen.
 */
export const brokerFaults: Scenario = {
  name: 'N6',
  title: 'broker killed, half of its connections lost, delayed',
  defaultRuns: 100,
  minCompleted: 0.9,
  async play(context) {
    const { nemesis, sizes, faults, outcome, random, cluster } = context;
    const over = new AbortController();
    const links = cluster.links.matching(/→broker$/);
    links.forEach(({ conditions }) => {
      conditions.random = () => random.next();
    });
    const harassing = nemesis.harass([800, 2500], over.signal, async () => {
      const link = random.pick(links);
      switch (random.between(0, 3)) {
        case 0:
          await nemesis.killBroker(random.between(300, 3000));
          break;
        case 1:
          link.conditions.lossyShare = 0.5;
          faults.add('lossy', link.name);
          nemesis.cut(link);
          break;
        case 2:
          await nemesis.slow(link, random.between(500, 2000));
          break;
        default:
          await nemesis.hold(link, random.between(500, 3000), 'forth', 'back');
      }
    });
    await runLoad(context, {
      ...{ runs: Math.ceil(sizes.runs / 2), concurrency: 5, turns: () => [textFor(2000)], isMeantToComplete: false },
      during: (run, each) => cancelSometime(context, run, each),
    });
    await runLoad(context, { runs: Math.floor(sizes.runs / 2), concurrency: 5 });
    over.abort();
    await harassing;
    outcome.expect(
      faults.faults.some(({ kind }) => kind !== 'model'),
      'nothing happened to the broker',
    );
  },
};

async function cancelSometime(context: ScenarioContext, run: LoadRun, random: Random): Promise<void> {
  await run.runId;
  await delay(random.between(0, 1500));
  await cancelRun(context, run, { replica: random.between(0, 1), wait: random.chance(0.5) });
}
