import type { RunId } from '@spanwise/kernel';
import type { InstanceRepository } from '../domain/instance/instance-repository.ts';
import type { Peers } from './ports/peers.ts';
import type { RunReports } from './ports/run-reports.ts';

export interface AnnounceReleasedDeps {
  readonly instances: Pick<InstanceRepository, 'alive'>;
  readonly peers: Pick<Peers, 'notifyReleased'>;
  readonly reports: RunReports;
  readonly instanceId: () => string;
}

/** Tells the other replicas that a run is without an owner. Who does not hear it finds the run by itself, a little later. */
export function announceReleased(deps: AnnounceReleasedDeps): (run: { readonly id: RunId }) => void {
  return ({ id }) => {
    tellAll(deps, id).catch((error: unknown) => deps.reports.pollFailed(error));
  };
}

async function tellAll({ instances, peers, instanceId }: AnnounceReleasedDeps, runId: RunId): Promise<void> {
  const others = (await instances.alive()).filter(({ id }) => id !== instanceId());
  await Promise.allSettled(others.map(({ address }) => peers.notifyReleased(address, runId)));
}
