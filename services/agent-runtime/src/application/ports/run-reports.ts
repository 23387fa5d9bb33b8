import type { RunDispatch } from '../../domain/run/run-dispatch.ts';
import type { RunOutcome } from '../../domain/run/run-outcome.ts';

/** Tells operators about runs; never about their content. */
export interface RunReports {
  /** The work on a dispatch is over. */
  ended(dispatch: RunDispatch, outcome: RunOutcome, durationMs: number): void;
}
