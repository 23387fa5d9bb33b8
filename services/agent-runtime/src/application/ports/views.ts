import type { ExecSpanContext } from '@spanwise/kernel';
import type { RunScope } from '../../domain/run/run-dispatch.ts';

/** The files that a run sees. */
export interface Views {
  /** Opens the view of a run under its run id; opening it again is fine. Throws SERVICE_UNAVAILABLE and what filesystem says. */
  open(run: RunScope, span: ExecSpanContext, signal: AbortSignal): Promise<void>;
}
