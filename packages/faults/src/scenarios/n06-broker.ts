import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { cancelRun } from './cancels.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { mixedTurns, textFor } from './scripts.ts';

/** What session says cancels on. */
const cancelSubject = 'spanwise.cancel.';

/**
 * The broker is killed, its links lose every other connection, are late and cut, and what it delivers comes again, at once
 * and when the run is over and the next one of its session goes on. Every other run is cancelled; no other may be.
 */
export const brokerFaults: Scenario = {
  name: 'N6',
  title: 'broker killed, half of its connections lost, delayed, duplicates',
  defaultRuns: 100,
  minCompleted: 1,
  goals: () => ({ cancel: { p99: 2500 } }),
  async play(context) {
    const { nemesis, sizes, faults, outcome, random, cluster } = context;
    using _repeating = nemesis.repeatMessages();
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
      ...{ runs: sizes.runs, concurrency: 5 },
      turns: (each, index, hasFiles) => (isCancelled(index) ? [textFor(2000)] : mixedTurns(each, index, hasFiles)),
      isMeantToComplete: (index) => !isCancelled(index),
      during: async (run, each) => {
        if (!outcome.meant.has(run.script.id)) {
          await cancelSometime(context, run, each);
        }
      },
    });
    over.abort();
    await harassing;
    outcome.expect(
      faults.faults.some(({ kind }) => kind !== 'model' && !kind.endsWith('duplicate')),
      'nothing happened to the broker',
    );
    for (const kind of ['duplicate', 'late-duplicate'] as const) {
      outcome.expect(faults.count(kind, cancelSubject) > sizes.runs / 8, `too few cancels came again: ${kind}`);
    }
  },
};

const isCancelled = (index: number) => index % 2 === 1;

async function cancelSometime(context: ScenarioContext, run: LoadRun, random: Random): Promise<void> {
  await run.runId;
  await delay(random.between(0, 1500));
  await cancelRun(context, run, { replica: random.between(0, 1), wait: random.chance(0.5) });
}
