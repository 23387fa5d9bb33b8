import type { ExecSpanContext, RunId } from '@spanwise/kernel';

/** Tells whoever holds a run, here or elsewhere, that its cancel was requested; fast, and without a promise. */
export interface CancelSignal {
  send(runId: RunId, span?: ExecSpanContext): Promise<void>;
}
