import type { AgentEvent } from '../domain/event/agent-event.ts';

/** An event as it is shown to watchers. */
export interface Published {
  readonly event: AgentEvent;
  /** The same without its text, for those who have seen the text as live deltas. */
  readonly elided?: AgentEvent;
}

/** Where a session that is driven here stands: what was shown so far. */
export interface LivePosition {
  /** Seq of the last durable event that was shown. */
  readonly lastSeq: number;
  /** Per open block the text that was shown and is not stored yet, as live deltas. */
  readonly tails: readonly AgentEvent[];
}
