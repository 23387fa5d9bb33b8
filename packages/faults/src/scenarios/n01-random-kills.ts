import { runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Processes of every kind, the database and the broker, are killed every 2 to 5 seconds while runs go on. */
export const randomKills: Scenario = {
  name: 'N1',
  title: 'kill -9 of a random process of any kind every 2 to 5 s',
  defaultRuns: 500,
  minCompleted: 0.95,
  async play(context) {
    const { nemesis, sizes, faults, outcome } = context;
    const over = new AbortController();
    const harassing = nemesis.harass([2000, 5000], over.signal, () => killOne(context));
    await runLoad(context, { runs: sizes.runs, concurrency: 20 });
    over.abort();
    await harassing;
    outcome.expect(faults.count('kill') > 0, 'no process was killed');
  },
};

/** The database and the broker now and then: they are two of ten. */
async function killOne({ nemesis, cluster, random }: ScenarioContext): Promise<void> {
  const victim = random.between(0, cluster.replicas.length + 1);
  const replica = cluster.replicas[victim];
  if (replica !== undefined) {
    nemesis.kill(replica);
  } else if (victim === cluster.replicas.length) {
    await nemesis.killDatabase(random.between(300, 1500));
  } else {
    await nemesis.killBroker(random.between(300, 1500));
  }
}
