import type { ExecSpanContext } from '@spanwise/kernel';
import type { RunDispatch, RunScope } from '../../domain/run/run-dispatch.ts';

/** The files that a run sees. */
export interface Views {
  /**
   * Opens the view of a run under its run id, with a layer of its own if its driver publishes that; opening it again is
   * fine. Throws SERVICE_UNAVAILABLE and what filesystem says.
   */
  open(run: RunScope & Pick<RunDispatch, 'runLayer'>, span: ExecSpanContext, signal: AbortSignal): Promise<void>;
}
