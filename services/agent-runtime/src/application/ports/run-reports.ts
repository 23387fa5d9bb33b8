import type { DomainError } from '@spanwise/kernel';
import type { RunDispatch } from '../../domain/run/run-dispatch.ts';
import type { RunOutcome } from '../../domain/run/run-outcome.ts';

/** Tells operators about runs; never about their content. */
export interface RunReports {
  /** The work on a dispatch is over. */
  ended(dispatch: RunDispatch, outcome: RunOutcome, durationMs: number): void;
  /** An agent that a task was delegated to has failed. The run goes on. */
  delegateFailed(dispatch: RunDispatch, agent: string, error: DomainError): void;
}
