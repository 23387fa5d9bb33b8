import type { ExecSpanContext, RunId, SessionId, Uid } from '@spanwise/kernel';

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
export interface RunDispatch extends RunScope {
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
  /** Empty = all that the agent allows. */
  readonly toolsAllow: readonly string[];
  readonly toolsDeny: readonly string[];
  /** Milliseconds since 1970; undefined = as the agent says, counted from now. */
  readonly deadlineMs: number | undefined;
}
