import { DomainError, type RunId } from '@spanwise/kernel';
import type { Run } from '../domain/run/run.ts';
import type { EndOrphans } from './end-orphans.ts';

/** The runs that this process could not end because the database was away for too long; ended once it is back. */
export class LostRuns {
  readonly #endOrphans: EndOrphans;
  readonly #instanceId: string;
  readonly #lost = new Set<RunId>();

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
    if (this.#lost.size > 0) {
      await this.#endOrphans.execute(({ id, ownerId }) => ownerId === this.#instanceId && this.#lost.has(id));
      this.#lost.clear();
    }
  }
}
