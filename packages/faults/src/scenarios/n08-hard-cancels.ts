import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceProcess } from '../cluster/service-process.ts';
import { driverOf } from '../evidence/ownership.ts';
import type { ScriptedTurn } from '../provider/run-script.ts';
import { cancelRun } from './cancels.ts';
import { sawOrDone } from './executors.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

/** What stands in the way of a cancel. */
const obstacles = ['owner-frozen', 'deaf-tool', 'model-stalled'] as const;
type Obstacle = (typeof obstacles)[number];

/** How long a tool does not listen. */
const deafMs = 8000;

/** Cancels whose owner is frozen, whose tool ignores its signal, and whose model says nothing any more. */
export const hardCancels: Scenario = {
  name: 'N8',
  title: 'cancel with a frozen owner, a deaf tool, a stalled model',
  defaultRuns: 45,
  minCompleted: 0.9,
  goals: () => ({ cancel: { p99: 8000 } }),
  async play(context) {
    const { sizes, outcome, history } = context;
    for (const obstacle of obstacles) {
      await runLoad(context, {
        runs: Math.ceil(sizes.runs / obstacles.length),
        // While one owner is frozen, no other run is to lose its own.
        concurrency: obstacle === 'owner-frozen' ? 1 : 3,
        isMeantToComplete: () => false,
        turns: () => turnsFor(obstacle),
        during: (run) => cancelAgainst(context, run, obstacle),
      });
    }
    const cancels = history.entries.filter((entry) => entry.kind === 'cancelled');
    outcome.expect(
      cancels.filter(({ isAccepted }) => isAccepted).length >= cancels.length * 0.9,
      'cancels came too late',
    );
  },
};

function turnsFor(obstacle: Obstacle): readonly ScriptedTurn[] {
  switch (obstacle) {
    case 'owner-frozen':
      return [textFor(60_000)];
    case 'deaf-tool':
      return [{ ...textFor(100), tools: [{ name: 'stubborn', arguments: { ms: deafMs } }] }, textFor(100)];
    case 'model-stalled':
      return [{ ...textFor(1000), fault: 'stall', times: 100 }];
  }
}

async function cancelAgainst(context: ScenarioContext, run: LoadRun, obstacle: Obstacle): Promise<void> {
  const runId = await run.runId;
  await sawOrDone(run, 'textDelta', 5);
  switch (obstacle) {
    case 'owner-frozen':
      return cancelWhileFrozen(context, run, runId);
    case 'deaf-tool':
      await sawOrDone(run, 'message', 2);
      await delay(300);
      break;
    case 'model-stalled':
      await delay(1500);
      break;
  }
  await cancelRun(context, run, { wait: true });
}

/** Freezes the owner and asks the other replica, once no replica is frozen: a question to a frozen one waits with it. */
async function cancelWhileFrozen(context: ScenarioContext, run: LoadRun, runId: string): Promise<void> {
  const { cluster, nemesis, signal } = context;
  const isWell = ({ isReady, isFrozen }: ServiceProcess) => isReady && !isFrozen;
  let isDone = false;
  void run.done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    signal.throwIfAborted();
    const driver = await driverOf(cluster, runId);
    if (driver !== undefined && cluster.of('session').every(isWell)) {
      const other = cluster.of('session').findIndex(({ name }) => name !== driver.name);
      const freezing = nemesis.freeze(driver, cluster.timers.leaseMs * 2);
      await cancelRun(context, run, { replica: other, wait: true });
      return freezing;
    }
    await delay(100);
  }
}
