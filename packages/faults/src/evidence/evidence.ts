import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Message } from '@spanwise/contracts/spanwise/type/v1/message';
import type { ClientView } from '../clients/client-view.ts';
import type { HistoryEntry } from '../clients/history.ts';
import type { EffectLine } from '../cluster/effect-line.ts';
import type { Fault } from '../nemesis/fault-log.ts';
import type { ProviderAnswer } from '../provider/provider-log.ts';

/** A row of `sessions`. */
export interface SessionRow {
  readonly id: string;
  readonly uid: string;
  readonly status: 'IDLE' | 'RUNNING' | 'WAITING';
  readonly activeRunId: string | undefined;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly isDeleted: boolean;
}

export type RunRowStatus = 'QUEUED' | 'RUNNING' | 'WAITING' | 'FINISHING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** A row of `runs`. */
export interface RunRow {
  readonly id: string;
  readonly sessionId: string;
  readonly requestId: string;
  readonly status: RunRowStatus;
  readonly attempt: number;
  readonly startSeq: number;
  readonly terminalSeq: number;
  readonly isCancelRequested: boolean;
  /** Whether it is to be rolled back. */
  readonly rollsBack: boolean;
  /** Milliseconds since 1970; undefined while it goes on. */
  readonly endedAtMs: number | undefined;
}

/** A row of `ui_events`. */
export interface EventRow {
  readonly sessionId: string;
  readonly seq: number;
  readonly runId: string;
  readonly epoch: number;
  readonly createdAtMs: number;
  /** What its payload says. */
  readonly event: AgentEvent;
}

/** A row of `llm_context`. */
export interface ContextRow {
  readonly sessionId: string;
  readonly seq: number;
  readonly runId: string;
  readonly threadId: string;
  readonly message: Message;
  /** Seq of the event that took it out of the context; undefined while it is part of it. */
  readonly supersededAtSeq: number | undefined;
}

export type LayerState = 'OPEN' | 'CONFLICT' | 'PUBLISHING' | 'PUBLISHED' | 'ROLLED_BACK';

/** A row of filesystem's `fs_layers`. */
export interface LayerRow {
  readonly runId: string;
  readonly state: LayerState;
  /** Rows of `fs_layer_nodes`: what is in it and neither published nor dropped. */
  readonly entries: number;
}

/** A file of a session as a change of its disk has left it: a row of `fs_nodes` or `fs_versions`. */
export interface FileRow {
  readonly sessionId: string;
  /** In views. */
  readonly path: string;
  /** Whether the mount is one whose files are outputs. */
  readonly isOutput: boolean;
  /** Number of the change that wrote it. */
  readonly head: number;
  /** Number of the change that replaced or removed it; undefined for what is there now. */
  readonly toHead: number | undefined;
  /** SHA-256 of its content in hex, as its row has it. */
  readonly hash: string;
  readonly size: number;
  /** Whether the bytes that are stored have this hash. */
  readonly isIntact: boolean;
}

/** A row of tool-host's `executions`. */
export interface ExecutionRow {
  readonly runId: string;
  readonly callId: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly tool: string;
  readonly effect: 'IDEMPOTENT' | 'NON_REPEATABLE';
  readonly state: 'STARTED' | 'SUSPENDED' | 'DONE' | 'UNKNOWN';
}

/** The end of a service process. */
export interface ProcessExit {
  readonly process: string;
  readonly atMs: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether the suite killed or stopped it. */
  readonly isMeant: boolean;
  /** Last lines of its log, for an exit that nobody meant. */
  readonly lastWords: string;
}

/** What a process holds after the last client has left, and what it held before the first one came. */
export interface Leftovers {
  readonly process: string;
  readonly socketsBefore: number;
  readonly sockets: number;
  readonly children: number;
}

/** What stalled watchers cost the others. */
export interface WatcherCost {
  readonly stalled: number;
  readonly othersP99MsBefore: number;
  readonly othersP99Ms: number;
  /** Growth of all session processes. */
  readonly memoryMiB: number;
}

/** Everything that the checkers look at. */
export interface Evidence {
  readonly sessions: readonly SessionRow[];
  readonly runs: readonly RunRow[];
  readonly events: readonly EventRow[];
  readonly context: readonly ContextRow[];
  readonly executions: readonly ExecutionRow[];
  readonly layers: readonly LayerRow[];
  readonly files: readonly FileRow[];
  readonly history: readonly HistoryEntry[];
  readonly views: readonly ClientView[];
  readonly effects: readonly EffectLine[];
  readonly answers: readonly ProviderAnswer[];
  readonly faults: readonly Fault[];
  readonly exits: readonly ProcessExit[];
  /** How often services said in their logs that an epoch had a second writer. */
  readonly secondWriters: number;
  readonly leftovers: readonly Leftovers[];
  readonly watcherCost: WatcherCost | undefined;
  /** When the rows were read. */
  readonly readAtMs: number;
  /** How long after the last fault a run may still go on: lease, reaper and slack. */
  readonly recoveryMs: number;
}
