import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { cancelRun } from './cancels.ts';
import { sawOrDone } from './executors.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

/** Every run is cancelled at a random instant of its course, before its first word and at its very end included. */
export const randomCancels: Scenario = {
  name: 'N7',
  title: 'cancel at a random instant',
  defaultRuns: 1000,
  minCompleted: 0.9,
  async play(context) {
    const { sizes, outcome, history } = context;
    const turns = (random: Random) => [
      { ...textFor(200), tools: [{ name: random.pick(['slow', 'effect', 'effect_read']), arguments: { ms: 300 } }] },
      textFor(200),
    ];
    const during = (run: LoadRun, random: Random) => cancelSometime(context, run, random);
    await runLoad(context, { runs: sizes.runs, concurrency: 6, turns, during, isMeantToComplete: false });
    const accepted = history.entries.filter((entry) => entry.kind === 'cancelled' && entry.isAccepted).length;
    outcome.expect(accepted > sizes.runs / 3, `only ${accepted} cancels of ${sizes.runs} were accepted`);
  },
};

async function cancelSometime(context: ScenarioContext, run: LoadRun, random: Random): Promise<void> {
  await run.runId;
  if (random.chance(0.3)) {
    // Where completion is being decided.
    await sawOrDone(run, 'textEnd', 2);
    await delay(random.between(0, 10));
  } else {
    await delay(random.between(0, 900));
  }
  await cancelRun(context, run, { replica: random.between(0, 1), wait: random.chance(0.3) });
}
