import type { Message } from '../message/message.ts';
import type { RunEvent } from './run-event.ts';
import type { RunSpec } from './run-spec.ts';

/** Events and messages that are committed together. */
export interface Checkpoint {
  readonly events: readonly RunEvent[];
  /** For the model context, in order. */
  readonly messages: readonly Message[];
  /** The dialogue that they belong to: that of a delegate call; missing = the main one. */
  readonly threadId?: string;
  /** What the run works with; in the first checkpoint of a dispatch that was not told. */
  readonly spec?: RunSpec;
}

/** What is said when a checkpoint is committed. */
export interface CheckpointAck {
  /** True when the run is to be cancelled: nothing new may begin. */
  readonly cancelRequested: boolean;
}

/** Takes what a run says, in the order in which it is said. */
export interface RunJournal {
  /** Takes an event; it is on its way a moment later, with whatever else was said meanwhile. */
  emit(event: RunEvent): void;
  /**
   * Sends events and messages after all that was emitted before, and resolves when all of it is committed. Never resolves
   * once nobody listens any more: whoever waits also watches its signal.
   */
  checkpoint(checkpoint: Checkpoint): Promise<CheckpointAck>;
  /** Undefined while there is room for more; otherwise resolves when there is. */
  room(): Promise<void> | undefined;
}
