import { setTimeout as delay } from 'node:timers/promises';
import { spreadOf } from '../figures/percentiles.ts';
import type { Random } from '../random.ts';
import { cancelRun } from './cancels.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Of the calls that must not wait behind runs. */
const maxWaitMs = 5000;

/**
 * 300 runs at the same time over one pair of replicas: more than the 256 streams of one connection. Fences (of cancels)
 * and health checks must not wait behind them.
 */
export const manyRuns: Scenario = {
  name: 'N16',
  title: '300 runs at once over one pair of replicas, with fences and health checks',
  defaultRuns: 300,
  minCompleted: 0.9,
  async play(context) {
    const { sizes, outcome, cluster, history } = context;
    const over = new AbortController();
    const unready: string[] = [];
    const watching = (async () => {
      while (!over.signal.aborted) {
        await delay(500);
        unready.push(...cluster.replicas.filter(({ isReady }) => !isReady).map(({ name }) => name));
      }
    })();
    // Many at the same time, not much at a time: what is looked at is who waits behind whom.
    const turns = () => [{ text: 400, delayMs: 400 }];
    const cancelled = Math.ceil(sizes.runs / 10);
    await Promise.all([
      runLoad(context, { runs: sizes.runs - cancelled, concurrency: sizes.runs, turns }),
      runLoad(context, {
        ...{ runs: cancelled, concurrency: cancelled, turns, isMeantToComplete: () => false },
        during: (run, random) => cancelLater(context, run, random),
      }),
    ]);
    over.abort();
    await watching;
    const waits = history.entries.flatMap((entry) =>
      entry.kind === 'call' && entry.rpc.startsWith('CancelRun') ? [entry.tookMs] : [],
    );
    const longest = spreadOf(waits)?.max ?? 0;
    outcome.expect(longest < maxWaitMs, `a cancel took ${longest.toFixed(0)} ms beside ${sizes.runs} runs`);
    outcome.expect(
      unready.length < 5,
      `health checks failed ${unready.length} times: ${unready.slice(0, 5).join(', ')}`,
    );
  },
};

async function cancelLater(context: ScenarioContext, run: LoadRun, random: Random): Promise<void> {
  await run.runId;
  await delay(random.between(15_000, 30_000));
  await cancelRun(context, run, { wait: true });
}
