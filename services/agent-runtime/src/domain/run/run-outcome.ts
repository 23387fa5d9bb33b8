import { DomainError } from '@spanwise/kernel';
import type { TokenUsage } from '../model/token-usage.ts';

/** Why a run that did not fail came to its end by itself. */
export type RunFinish = 'stop' | 'max-turns' | 'length' | 'content-filter';

/** How the work on a run ended; usage is the sum over the model calls of this dispatch. */
export type RunOutcome = RunEnd & { readonly usage: TokenUsage };

export type RunEnd =
  | { readonly ended: 'completed'; readonly finish: RunFinish }
  | { readonly ended: 'aborted' }
  | { readonly ended: 'failed'; readonly error: DomainError };

/** What an error says about the end of the run: a cancel is no failure; what is no DomainError is a bug. */
export function endedBy(error: unknown): RunEnd {
  if (!(error instanceof DomainError)) {
    return { ended: 'failed', error: new DomainError('internal', 'INTERNAL', 'Internal error.', { cause: error }) };
  }
  return error.kind === 'cancelled' ? { ended: 'aborted' } : { ended: 'failed', error };
}
