import type { ExecSpanContext, RunId, SessionId, Uid } from '@spanwise/kernel';
import type { ToolResultPart } from '../message/message.ts';
import type { InterruptAnswer } from './interrupt.ts';
import type { RunSpec, ToolChoice } from './run-spec.ts';

/** The user for whom a run is made; travels on with every call. */
export interface Identity {
  readonly uid: Uid;
  /** Empty when not known. */
  readonly email: string;
  /** The user's own token; empty when there is none. Never logged. */
  readonly token: string;
}

/** What tool-host and filesystem need to know about the run that calls them. */
export interface RunScope {
  readonly sessionId: SessionId;
  readonly runId: RunId;
  /** Fencing number of the dispatch. */
  readonly epoch: bigint;
  readonly identity: Identity;
}

/** One dispatch of a run to this executor. */
export interface RunDispatch extends RunScope, ToolChoice {
  /** 1 for the first dispatch of the run. */
  readonly attempt: number;
  /** The run's root span. */
  readonly span: ExecSpanContext;
  /** Name of the agent. */
  readonly agent: string;
  /** Empty = the agent's. */
  readonly model: string;
  /** 0 = the agent's limit. */
  readonly maxTurns: number;
  /** Milliseconds since 1970; undefined = as the agent says, counted from `beginMs`. */
  readonly deadlineMs: number | undefined;
  /**
   * Milliseconds since 1970: when the first dispatch began, moved on by what the run has waited for its user. Undefined =
   * now.
   */
  readonly beginMs: number | undefined;
  /** Whether the driver publishes what the run writes: then it is kept in a layer of the run until that. */
  readonly runLayer: boolean;
  /** Turns that earlier dispatches have taken, over all dialogues of the run. */
  readonly turns: number;
  /** Whether the driver keeps dialogues of delegate calls: without that nothing is delegated. */
  readonly threads: boolean;
  /** What the run began with; undefined in its first dispatch. */
  readonly spec: RunSpec | undefined;
  /** Results of calls of a dialogue's last message that are in the log already. */
  readonly results: readonly ToolResultPart[];
  /** Answers that calls of a dialogue's last message have waited for. */
  readonly answers: readonly InterruptAnswer[];
}
