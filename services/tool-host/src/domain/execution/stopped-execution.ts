import type { CallId, RunId } from '@spanwise/kernel';

/**
 * How an execution ended at a fence: nothing of it is left (stopped); it had come to its end by itself (finished); or it
 * did not stop in time, or its replica does not answer (unstoppable).
 */
export type ExecutionStop = 'stopped' | 'finished' | 'unstoppable';

/** An execution that a fence met. */
export interface StoppedExecution {
  readonly runId: RunId;
  readonly callId: CallId;
  readonly tool: string;
  readonly outcome: ExecutionStop;
}
