import type { ExecSpanContext, RunId, SessionId } from '@spanwise/kernel';
import type { Files } from '@spanwise/tool-kit/contract';
import type { Caller } from '../../domain/tool/tool-call.ts';

/** The files of all runs, wherever they are. */
export interface RunFiles {
  /** The view of one run, for operations of one caller under one span. Does nothing by itself. */
  bind(call: FileCall): Files;
}

/** For whom and where in the trace a file operation happens. */
export interface FileCall {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  /** The run, whose view it is. */
  readonly viewId: RunId;
  /** The span of the operation: spans of the RPC become its leaves. */
  readonly span: ExecSpanContext;
  /** Fencing number of the dispatch that asks: changes of one that the session is shut against are refused. */
  readonly epoch: number;
  /** Key of a change: the same change with the same key happens once. Empty for what changes nothing. */
  readonly idempotencyKey: string;
  /** Ends what is waiting. */
  readonly signal: AbortSignal;
}
