import type { RunId, SessionId } from '@spanwise/kernel';
import type { AgentEvent } from '../../domain/event/agent-event.ts';

/** The header with which a replica proves to another one that it is one. */
export const peerProofHeader = 'x-spanwise-peer';

/** What the replica that drives a session tells of it: where it stands first, and then what it shows. */
export type TailStep =
  | { readonly kind: 'position'; readonly lastSeq: number; readonly tails: readonly AgentEvent[] }
  | {
      readonly kind: 'entries';
      /** Each with the same event without its text, for those who have seen the text. */
      readonly entries: readonly { readonly event: AgentEvent; readonly elided?: AgentEvent }[];
    };

/** The other replicas of this service, each under the address that it registered. */
export interface Peers {
  /**
   * What the driver of a session shows, until it drives it no longer or the signal. Throws NO_ACTIVE_RUN when it is not
   * driven there, SERVICE_UNAVAILABLE when the replica can not be reached or the connection is lost.
   */
  tail(address: string, sessionId: SessionId, signal: AbortSignal): AsyncIterable<TailStep>;
  /** Tells of a cancel whose flag is set. True when that replica holds the run. Throws when it does not answer in 1 s. */
  notifyCancel(address: string, runId: RunId): Promise<boolean>;
  /** Tells of a run without an owner. Throws when the replica does not answer in 1 s. */
  notifyReleased(address: string, runId: RunId): Promise<void>;
}
