import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { executorOf, sawOrDone } from './executors.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

/**
 * The link of agent-runtime and tool-host is cut, or passes nothing for a while, inside of a NON_REPEATABLE call; now and
 * then the replica of tool-host is killed instead.
 */
export const toolLink: Scenario = {
  name: 'N10',
  title: 'link of agent-runtime and tool-host cut inside a NON_REPEATABLE call',
  defaultRuns: 60,
  minCompleted: 0.9,
  async play(context) {
    const { sizes, faults, outcome } = context;
    const turns = (random: Random) => [
      { ...textFor(100), tools: [{ name: random.pick(['slow', 'effect']), arguments: { ms: 1500 } }] },
      textFor(200),
    ];
    const during = (run: LoadRun, random: Random) => breakLink(context, run, random);
    await runLoad(context, { runs: sizes.runs, concurrency: 4, turns, during });
    outcome.expect(faults.count('cut') + faults.count('black-hole') > 0, 'no link was broken');
  },
};

async function breakLink(context: ScenarioContext, run: LoadRun, random: Random): Promise<void> {
  const { nemesis, cluster } = context;
  await sawOrDone(run, 'message', 2);
  await delay(random.between(50, 1400));
  const executor = executorOf(context, run);
  const [link] = cluster.links.matching(new RegExp(`^${executor?.name}→tool-host$`));
  if (random.chance(0.2)) {
    await cluster.untilReady();
    nemesis.kill(random.pick(cluster.of('tool-host')));
  } else if (link !== undefined) {
    await (random.chance(0.3)
      ? nemesis.hold(link, random.between(500, 6000), 'forth', 'back')
      : Promise.resolve(nemesis.cut(link)));
  }
}
