import { DomainError } from '@spanwise/kernel';
import type { TokenUsage } from '../model/token-usage.ts';
import { isFenced } from './run-errors.ts';

/** Why a run that did not fail came to its end by itself. */
export type RunFinish = 'stop' | 'max-turns' | 'length' | 'content-filter';

/** How the work on a dispatch ended; usage is the sum over its model calls. */
export type RunOutcome = RunEnd & { readonly usage: TokenUsage };

export type RunEnd =
  | { readonly ended: 'completed'; readonly finish: RunFinish }
  | { readonly ended: 'aborted' }
  | { readonly ended: 'failed'; readonly error: DomainError }
  /** The run goes on in another dispatch: once its interrupts are answered, or because this one was asked to leave. */
  | { readonly ended: 'yielded'; readonly why: 'waiting' | 'detached' }
  /** The run goes on in another dispatch already. */
  | { readonly ended: 'fenced'; readonly error: DomainError };

/** What an error says about the end of the run: a cancel is no failure; what is no DomainError is a bug. */
export function endedBy(error: unknown): RunEnd {
  if (!(error instanceof DomainError)) {
    return { ended: 'failed', error: new DomainError('internal', 'INTERNAL', 'Internal error.', { cause: error }) };
  }
  if (isFenced(error)) {
    return { ended: 'fenced', error };
  }
  return error.kind === 'cancelled' ? { ended: 'aborted' } : { ended: 'failed', error };
}
