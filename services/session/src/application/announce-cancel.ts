import type { RunId, SessionId } from '@spanwise/kernel';
import type { InstanceRepository } from '../domain/instance/instance-repository.ts';
import { isOver } from '../domain/run/run.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { CancelSignal } from './ports/cancel-signal.ts';
import type { Peers } from './ports/peers.ts';
import type { RunReports } from './ports/run-reports.ts';
import type { RunDrivers } from './run-drivers.ts';
import type { SessionHub } from './session-hub.ts';
import type { TakeOver } from './take-over.ts';

export interface AnnounceCancelDeps {
  readonly runs: RunRepository;
  readonly instances: InstanceRepository;
  readonly drivers: RunDrivers;
  readonly takeOver: TakeOver;
  readonly signal: CancelSignal;
  readonly peers: Pick<Peers, 'notifyCancel'>;
  readonly hub: SessionHub;
  readonly reports: RunReports;
}

/**
 * Tells whoever holds a run that its cancel flag is set, by all ways at once; the flag is what counts, so nothing waits
 * for it. A run that nobody holds is taken and ended here.
 */
export class AnnounceCancel {
  readonly #deps: AnnounceCancelDeps;

  constructor(deps: AnnounceCancelDeps) {
    this.#deps = deps;
  }

  execute(run: { readonly id: RunId; readonly sessionId: SessionId }): void {
    // Also when it is driven here: the executor hears it without the way over the driver.
    void this.#deps.signal.send(run.id);
    if (!this.#deps.drivers.cancel(run.id)) {
      this.#tellOwner(run).catch((error: unknown) => this.#deps.reports.pollFailed(error));
    }
  }

  /** A run was taken out of the queue: nobody drives it, but somebody may wait for its begin. */
  dequeued({ sessionId }: { readonly sessionId: SessionId }): void {
    this.#deps.hub.tellRunChanged(sessionId);
  }

  async #tellOwner({ id, sessionId }: { readonly id: RunId; readonly sessionId: SessionId }): Promise<void> {
    const { runs, instances, takeOver, peers } = this.#deps;
    const run = await runs.find(sessionId, id);
    if (run === undefined || isOver(run.status)) {
      return;
    }
    if (run.ownerId === undefined) {
      await takeOver.take(run);
      return;
    }
    const owner = await instances.find(run.ownerId);
    if (owner !== undefined) {
      await peers.notifyCancel(owner.address, id);
    }
  }
}
