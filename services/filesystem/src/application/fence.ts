import type { SessionId } from '@spanwise/kernel';
import { highestFence } from '../domain/change/change.ts';
import type { Changes } from './ports/changes.ts';

export interface FenceRequest {
  readonly sessionId: SessionId;
  /** At least 1. */
  readonly epoch: number;
  /** True: refuse this epoch, too. False: refuse lower ones. */
  readonly stop: boolean;
}

/** Shuts a session against dispatches that are over: when it resolves, they change nothing any more. */
export class Fence {
  readonly #changes: Changes;

  constructor({ changes }: { readonly changes: Changes }) {
    this.#changes = changes;
  }

  /** A fence never falls. Throws DISK_UNAVAILABLE when a change that began before does not end in time. */
  async execute({ sessionId, epoch, stop }: FenceRequest): Promise<void> {
    await this.#changes.fence(sessionId, Math.min(stop ? epoch + 1 : epoch, highestFence), epoch);
  }
}
