import type { ExecSpanContext, RunId, SessionId } from '@spanwise/kernel';
import type { ContextRow } from '../../domain/context/llm-context.ts';
import type {
  AgentError,
  InterruptAnswer,
  TokenUsage,
  ToolResult,
  UnplacedEvent,
} from '../../domain/event/agent-event.ts';
import type { RunOptions } from '../../domain/run/run.ts';
import type { Caller } from './caller.ts';

/** One dispatch of a run to an executor. */
export interface Dispatch {
  readonly sessionId: SessionId;
  readonly runId: RunId;
  readonly epoch: number;
  readonly attempt: number;
  readonly span: ExecSpanContext;
  readonly options: RunOptions;
  readonly deadlineAtMs: number | undefined;
  /** From when the agent's own time counts; undefined = from now, for no executor has begun on the run yet. */
  readonly beginAtMs: number | undefined;
  readonly caller: Caller;
  /** Made by the first dispatch; undefined in that. */
  readonly spec: Uint8Array | undefined;
  /** Turns that earlier dispatches have taken, over all dialogues. */
  readonly turns: number;
  /** Results of calls of a dialogue's last message that are in the log already. */
  readonly results: readonly ToolResult[];
  /** Answers that calls of a dialogue's last message have waited for. */
  readonly answers: readonly InterruptAnswer[];
  /** The main dialogue, then those of calls that are not answered, in pages. */
  readonly history: AsyncIterable<HistoryPage>;
}

/** A part of a stored dialogue. */
export interface HistoryPage {
  /** The call whose dialogue it is; empty = the main one. */
  readonly threadId: string;
  /** Encoded, oldest first. */
  readonly messages: readonly Uint8Array[];
}

/** What an executor says, in the order in which it happened. */
export type RuntimeFrame =
  | { readonly kind: 'events'; readonly events: readonly UnplacedEvent[] }
  | {
      readonly kind: 'checkpoint';
      readonly index: bigint;
      readonly events: readonly UnplacedEvent[];
      readonly contextRows: readonly ContextRow[];
      readonly spec: Uint8Array | undefined;
    }
  | { readonly kind: 'finish'; readonly end: ExecutorEnd }
  /** The run goes on in another dispatch: its calls wait for interrupts, or the executor lets go of it. */
  | { readonly kind: 'yield'; readonly reason: 'waiting' | 'detached' };

/** The last thing that an executor says. */
export interface ExecutorEnd {
  readonly outcome: ExecutorOutcome;
  readonly usage: TokenUsage | undefined;
}

/** How an executor ended. What the run's terminal event says is for its driver to decide. */
export type ExecutorOutcome =
  | { readonly kind: 'completed'; readonly finishReason: number }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly error: AgentError };

/** An executor at work on a dispatch. */
export interface Execution {
  /** Throws RUNTIME_UNAVAILABLE when the executor is lost; ends after `finish` or `yield`. */
  readonly frames: AsyncIterable<RuntimeFrame>;
  /** A checkpoint, and all that was said before it, is committed. */
  acknowledge(index: bigint, isCancelRequested: boolean): void;
  /** Asks the executor to stop and to finish as aborted. */
  abort(reason: string): void;
  /** Asks the executor to yield: after the turn, or once `graceMs` have passed. */
  detach(graceMs: number): void;
}

/** Whoever executes runs. */
export interface AgentRuntime {
  /** Begins a dispatch; aborting the signal breaks the stream off, which ends the work at once. */
  execute(dispatch: Dispatch, signal: AbortSignal): Execution;
  /** Whether a dispatch would find an executor now. */
  isReady(signal: AbortSignal): Promise<boolean>;
}
