import type { RunId } from '@spanwise/kernel';

/** Keeps the token of a run's user with the run, for dispatches that no request of the user makes. */
export interface TokenSeal {
  /** What can be kept of a token; empty when tokens are not kept, or there is none. */
  seal(token: string, runId: RunId): string;
  /** The token; empty when there is none, or it was sealed for another run or with a key that is not known. */
  open(sealed: string, runId: RunId): string;
}
