import { driverOf } from '../evidence/ownership.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

/** The replica of session that drives a run is killed while text streams. */
export const driverKilled: Scenario = {
  name: 'N2',
  title: 'driver killed in the middle of the text',
  defaultRuns: 30,
  minCompleted: 0.9,
  goals: ({ takeOverMs }) => ({ recovery: { max: takeOverMs } }),
  async play(context) {
    const { sizes, faults, outcome, cluster } = context;
    const turns = () => [{ ...textFor(300), tools: [{ name: 'effect', arguments: {} }] }, textFor(2000)];
    const during = (run: LoadRun) => killDriver(context, run);
    await runLoad(context, { runs: sizes.runs, concurrency: 3, turns, during, untilBegin: () => cluster.untilReady() });
    outcome.expect(faults.count('kill', 'session') > sizes.runs / 4, 'too few drivers were killed');
  },
};

async function killDriver(context: ScenarioContext, run: LoadRun): Promise<void> {
  const { nemesis, cluster, random } = context;
  const runId = await run.runId;
  await Promise.race([run.saw('textDelta', random.between(5, 60)), run.done]);
  const driver = await driverOf(cluster, runId);
  // Several runs at once: each kill hits all of them, and there must be somebody to take over.
  if (driver?.isReady === true && cluster.of('session').every(({ isReady }) => isReady)) {
    nemesis.kill(driver);
  }
}
