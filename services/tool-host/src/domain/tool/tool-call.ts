import type { CallId, ExecSpan, ExecSpanContext, RunId, SessionId, SpanEvent, Uid } from '@spanwise/kernel';
import type { Interrupt, InterruptAnswer, ToolPolicy, ToolProgress } from '@spanwise/tool-kit/contract';

/** The user for whom a call is made. Reaches the file service; tools never see it. */
export interface Caller {
  readonly uid: Uid;
  /** Empty when not known. */
  readonly email: string;
  /** The user's own token; empty when there is none. Never logged or stored. */
  readonly token: string;
}

/** One call that a model asked for. */
export interface ToolCall {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  /** Also the id of the view of files. */
  readonly runId: RunId;
  /** Fencing number of the dispatch that calls. */
  readonly epoch: number;
  readonly callId: CallId;
  /** As the model gave it; it may name no tool. */
  readonly tool: string;
  /** As the model gave them; it may be no JSON. */
  readonly argumentsJson: string;
  /** The enclosing span. */
  readonly span: ExecSpanContext;
  /** Milliseconds that the caller waits; undefined when it set no deadline. */
  readonly timeoutMs: number | undefined;
  /** What the call waited for; undefined at its first execution. */
  readonly answer: InterruptAnswer | undefined;
  /** The rules of agent, session and run. */
  readonly policy: ToolPolicy;
  /** Whether somebody is there to approve it. */
  readonly isInteractive: boolean;
}

/**
 * How a call ended: `error` and `timeout` have a text that tells the model what to do about it. `cancelled` was stopped
 * midway, and of `unknown` nobody knows whether it was executed: both may have had effects.
 */
export type ToolOutcome = 'ok' | 'error' | 'timeout' | 'cancelled' | 'unknown';

/** The answer to a call. */
export interface ToolResult {
  readonly callId: CallId;
  readonly outcome: ToolOutcome;
  /** What the model is shown; not empty, well-formed Unicode. */
  readonly text: string;
  /** JSON text; empty when there is none. */
  readonly structuredJson: string;
  /** Reason of the error, of the catalogue or of the tool's own; empty when there is none. */
  readonly code: string;
  /** What of the output is not in the text; undefined when it is whole. */
  readonly truncated: ToolTruncation | undefined;
}

/** An output that was over the limits of its tool. */
export interface ToolTruncation {
  /** UTF-8. */
  readonly shownBytes: number;
  readonly totalBytes: number;
  /** File that has the whole; empty when it is not kept. */
  readonly fullPath: string;
}

/** How a call ended, for the model and for its span. */
export interface CallEnd {
  readonly result: ToolResult;
  /** Reason of the catalogue; empty when it went well. */
  readonly errorType: string;
}

/** The end of a call that gave nothing but words about what went wrong. */
export function failedEnd(callId: CallId, outcome: ToolOutcome, text: string, reason: string): CallEnd {
  return {
    result: { callId, outcome, text, structuredJson: '', code: reason, truncated: undefined },
    errorType: reason,
  };
}

/** What comes of executing a call: an end, or something that it waits for. */
export type CallOutcome =
  | { readonly type: 'ended'; readonly end: CallEnd }
  | { readonly type: 'suspended'; readonly interrupt: Interrupt };

/** What is told of a call while it goes on; the last frame is its result, or what it waits for. */
export type CallFrame =
  | { readonly type: 'span'; readonly event: SpanEvent }
  | {
      readonly type: 'progress';
      readonly callId: CallId;
      /** The tool's span. */
      readonly span: ExecSpan;
      readonly timeMs: number;
      readonly progress: ToolProgress;
    }
  | {
      readonly type: 'output';
      readonly callId: CallId;
      readonly span: ExecSpan;
      readonly timeMs: number;
      /** What the tool has put out since the last one. */
      readonly text: string;
    }
  | { readonly type: 'result'; readonly result: ToolResult }
  | { readonly type: 'suspended'; readonly interrupt: Interrupt };
