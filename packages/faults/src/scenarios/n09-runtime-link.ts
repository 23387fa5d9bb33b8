import { driverOf } from '../evidence/ownership.ts';
import type { Random } from '../random.ts';
import { executorOf, sawOrDone } from './executors.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { mixedTurns, textFor } from './scripts.ts';

/** Calls one after the other that last longer than it takes to notice that a link is gone. */
const manyCalls = { name: 'effect', arguments: { ms: 500 }, repeat: 40 };

/** The links between session and agent-runtime pass nothing, pass only one way, and are reset. */
export const runtimeLink: Scenario = {
  name: 'N9',
  title: 'link of session and agent-runtime black-holed, one way, reset',
  defaultRuns: 100,
  minCompleted: 0.9,
  async play(context) {
    const { nemesis, sizes, faults, outcome, random, cluster } = context;
    const over = new AbortController();
    const links = cluster.links.matching(/^session-\d→agent-runtime$/);
    const harassing = nemesis.harass([1000, 3000], over.signal, async () => {
      const link = random.pick(links);
      switch (random.between(0, 4)) {
        case 0:
          await nemesis.hold(link, random.between(1000, 18_000), 'forth', 'back');
          break;
        case 1:
          await nemesis.hold(link, random.between(1000, 18_000), random.pick(['forth', 'back'] as const));
          break;
        case 2:
          await nemesis.slow(link, random.between(1000, 4000));
          break;
        default:
          nemesis.cut(link);
      }
    });
    // An executor that is cut off goes on with the calls of a message that was committed, until it notices.
    const turns = (each: Random, index: number, hasFiles: boolean) =>
      index % 3 === 0 ? [{ ...textFor(100), tools: [manyCalls] }, textFor(100)] : mixedTurns(each, index, hasFiles);
    let isParted = false;
    const during = async (run: LoadRun) => {
      const [{ tools = [] } = {}] = run.script.turns;
      if (!isParted && tools.includes(manyCalls)) {
        isParted = true;
        await partFromExecutor(context, run);
        isParted = false;
      }
    };
    await runLoad(context, { runs: sizes.runs, concurrency: 6, turns, during });
    over.abort();
    await harassing;
    outcome.expect(
      faults.faults.some(({ kind }) => kind !== 'model'),
      'nothing happened to the links',
    );
  },
};

/** Longer than either side needs to notice. */
const partedMs = 18_000;

/** The driver can reach the other executor, and the one that it had goes on until it notices. */
async function partFromExecutor(context: ScenarioContext, run: LoadRun): Promise<void> {
  const { cluster, nemesis } = context;
  await sawOrDone(run, 'message', 2);
  const driver = await driverOf(cluster, await run.runId);
  const executor = executorOf(context, run);
  const [link] = cluster.links.matching(new RegExp(`^${driver?.name}→agent-runtime$`));
  if (link !== undefined && executor !== undefined) {
    await nemesis.partition(link, cluster.of('agent-runtime').indexOf(executor), partedMs);
  }
}
