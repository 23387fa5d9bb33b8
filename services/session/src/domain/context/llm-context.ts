import type { RunId, SessionId } from '@spanwise/kernel';
import type { ToolResult } from '../event/agent-event.ts';

/** A message of the model context on its way into the log. */
export interface ContextRow {
  readonly messageId: string;
  readonly runId: RunId;
  /** The dialogue that it is part of: the id of a delegate call; empty or missing = the main one. */
  readonly threadId?: string;
  /** Number of spanwise.type.v1.Role. */
  readonly role: number;
  /** What it costs as input, counted or estimated once. */
  readonly tokens: number;
  /** Encoded spanwise.type.v1.Message, without seq, create_time and thread_id. */
  readonly payload: Uint8Array;
}

/** A message as it is stored. */
export interface StoredMessage extends ContextRow {
  readonly seq: number;
  readonly createdAtMs: number;
}

/** Places of a run's messages in the context. */
export interface ContextRange {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/**
 * The dialogues that models are shown, without what was rolled back: what `LlmContextRepository` of the runtime loads, and
 * ListMessages tells. The main one is the user's; each delegate call may have one of its own.
 */
export interface LlmContext {
  /** Messages of one dialogue in order of seq, those after `afterSeq`. Default: of the main one. */
  read(sessionId: SessionId, afterSeq: number, limit: number, threadId?: string): Promise<readonly StoredMessage[]>;
  /** Where the messages of a run are, in all its dialogues; undefined when it has none. */
  rangeOf(sessionId: SessionId, runId: RunId): Promise<ContextRange | undefined>;
}

/** What the session itself writes into the context. */
export type OwnMessage =
  | { readonly role: 'user'; readonly id: string; readonly runId: RunId; readonly texts: readonly string[] }
  | { readonly role: 'tool'; readonly id: string; readonly runId: RunId; readonly results: readonly ToolResult[] };
