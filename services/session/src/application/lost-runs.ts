import { DomainError, type RunId } from '@spanwise/kernel';
import type { Run } from '../domain/run/run.ts';
import type { EndOrphans } from './end-orphans.ts';

/** The runs that this process could not end because the database was away for too long; ended once it is back. */
export class LostRuns {
  readonly #endOrphans: EndOrphans;
  readonly #instanceId: string;
  #lost = new Set<RunId>();

  constructor(endOrphans: EndOrphans, instanceId: string) {
    this.#endOrphans = endOrphans;
    this.#instanceId = instanceId;
  }

  /** A run was lost. One that was fenced is somebody else's now. */
  note({ id }: Run, error: unknown): void {
    if (error instanceof DomainError && error.kind === 'unavailable') {
      this.#lost.add(id);
    }
  }

  /** Ends what was lost. Throws DATABASE_UNAVAILABLE while the database is away; then it is tried again. */
  async end(): Promise<void> {
    if (this.#lost.size === 0) {
      return;
    }
    const remaining = new Set<RunId>();
    const ended = await this.#endOrphans.execute(({ id, ownerId }) => {
      const isMeant = ownerId === this.#instanceId && this.#lost.has(id);
      if (isMeant) {
        remaining.add(id);
      }
      return isMeant;
    });
    ended.forEach(({ id }) => remaining.delete(id));
    // What could not be ended is tried again; what is over, or somebody else's, is not.
    this.#lost = remaining;
  }
}
