import type { SessionId } from '@spanwise/kernel';
import type { StoppedExecution } from '../../domain/execution/stopped-execution.ts';
import type { Instance } from '../../domain/instance/instance-repository.ts';
import type { Caller } from '../../domain/tool/tool-call.ts';

/** What a replica is asked to end: all of a session up to an epoch. */
export interface StopRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  readonly epoch: number;
}

/** The other replicas. */
export interface Peers {
  /** Ends what one of them executes. Throws when it does not answer within `limitMs`. */
  stop(instance: Instance, request: StopRequest, limitMs: number): Promise<readonly StoppedExecution[]>;
}
