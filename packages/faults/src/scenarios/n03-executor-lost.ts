import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { executorOf, sawOrDone } from './executors.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

/** Where in the course of a run its executor is lost. */
const moments = ['in-text', 'frozen-in-text', 'behind-intent', 'in-effect', 'behind-effect'] as const;

/** The executor is killed or frozen in the text, between intent and effect, and between effect and result. */
export const executorLost: Scenario = {
  name: 'N3',
  title: 'executor killed or frozen in the text, and around an effect',
  defaultRuns: 30,
  minCompleted: 0.9,
  goals: () => ({ recoveryOfKilled: { p99: 3000 }, recoveryOfFrozen: { max: 18_000 } }),
  async play(context) {
    const { sizes, faults, outcome, cluster } = context;
    const turns = (random: Random) => [
      {
        ...textFor(300),
        tools: [{ name: random.pick(['effect', 'effect_idempotent', 'effect_read']), arguments: { ms: 500 } }],
      },
      textFor(1000),
    ];
    let index = 0;
    const during = (run: LoadRun, random: Random) => {
      index += 1;
      return lose(context, run, moments[index % moments.length] ?? 'in-text', random);
    };
    await runLoad(context, { runs: sizes.runs, concurrency: 3, turns, during, untilBegin: () => cluster.untilReady() });
    outcome.expect(faults.count('kill', 'agent-runtime') > 0, 'no executor was killed');
    outcome.expect(sizes.runs < moments.length || faults.count('freeze') > 0, 'no executor was frozen');
  },
};

async function lose(context: ScenarioContext, run: LoadRun, moment: (typeof moments)[number], random: Random) {
  const { nemesis, cluster } = context;
  switch (moment) {
    case 'in-text':
    case 'frozen-in-text':
      await sawOrDone(run, 'textDelta', random.between(2, 25));
      break;
    case 'behind-intent':
      // The first MESSAGE is the user's.
      await sawOrDone(run, 'message', 2);
      break;
    case 'in-effect':
      await sawOrDone(run, 'message', 2);
      await delay(random.between(20, 400));
      break;
    case 'behind-effect':
      await sawOrDone(run, 'message', 2);
      await delay(random.between(480, 560));
      break;
  }
  const executor = executorOf(context, run);
  if (
    executor?.isReady !== true ||
    !cluster.of('agent-runtime').every(({ isReady, isFrozen }) => isReady && !isFrozen)
  ) {
    return;
  }
  if (moment === 'frozen-in-text') {
    // Longer than the pings bear it.
    await nemesis.freeze(executor, 17_000);
  } else {
    nemesis.kill(executor);
  }
}
