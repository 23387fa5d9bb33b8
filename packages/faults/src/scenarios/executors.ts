import type { ServiceProcess } from '../cluster/service-process.ts';
import type { LoadRun } from './load.ts';
import type { ScenarioContext } from './scenario.ts';

/** The replica of agent-runtime that asked the model last for a run; undefined when nobody did yet. */
export function executorOf({ provider, cluster }: ScenarioContext, { script }: LoadRun): ServiceProcess | undefined {
  const caller = provider.log.latest(script.id)?.caller;
  return cluster.of('agent-runtime').find(({ name }) => name === caller);
}

/** Resolves at an event of the run, or when the run is over before it. */
export async function sawOrDone(run: LoadRun, kind: Parameters<LoadRun['saw']>[0], count = 1): Promise<void> {
  await Promise.race([run.saw(kind, count), run.done]);
}
