import type { SessionId } from '@spanwise/kernel';
import type { StopOutcome } from '../../domain/run/run.ts';

/** A tool call that a fence met, and how it ended. */
export interface StoppedCall {
  readonly callId: string;
  readonly outcome: StopOutcome;
}

/** Shuts tool-host and filesystem against old dispatches. */
export interface Fences {
  /** When it resolves, no dispatch of a lower epoch can begin anything. Throws when one of them does not answer. */
  raise(sessionId: SessionId, epoch: number, signal: AbortSignal): Promise<void>;
  /**
   * Also none of this epoch, and what was executed has been ended. `onCall` is told of what tool-host met as soon as that
   * answers. Throws when one of them does not answer.
   */
  stop(sessionId: SessionId, epoch: number, signal: AbortSignal, onCall: (call: StoppedCall) => void): Promise<void>;
}
