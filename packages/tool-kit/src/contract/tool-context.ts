import type { CallId, ExecSpanContext, RunId, SessionId, Uid } from '@spanwise/kernel';
import type { Egress } from './egress.ts';
import type { Files } from './files.ts';
import type { InterruptAnswer } from './interrupt.ts';
import type { SessionReads } from './session-reads.ts';

/** Whose call it is, and which one. */
export interface CallFacts {
  readonly uid: Uid;
  readonly sessionId: SessionId;
  readonly runId: RunId;
  readonly callId: CallId;
}

/** Everything that a tool may touch during one call. No token, no network but that of the guard, no disk of this machine. */
export interface ToolContext {
  readonly call: CallFacts;
  /** The span of the call: what the tool asks of others goes below it. */
  readonly span: ExecSpanContext;
  /** The run's view of files; its operations end when `signal` aborts, and are refused after the call. */
  readonly files: Files;
  /** Which versions of files the session has read. */
  readonly reads: SessionReads;
  /** The web, through the guard; refused after the call. */
  readonly egress: Egress;
  /** Aborts when the call is cancelled, runs out of time, or is over. */
  readonly signal: AbortSignal;
  /** When the call is stopped: milliseconds since 1970 UTC. */
  readonly deadlineMs: number;
  /** `run_id:call_id`: the same when the call is executed again. */
  readonly idempotencyKey: string;
  /** The answer to what the tool asked for when it suspended the call; undefined at the first execution. */
  readonly answer: InterruptAnswer | undefined;
  /** Tells how far the call is. A reader that is slow sees the latest only. */
  progress(progress: ToolProgress): void;
  /** Tells what the tool puts out, as it comes, to people who watch; the model sees the result only. */
  output(text: string): void;
  readonly log: CallLog;
}

/** What a tool may touch in a process of its own: there are no files, reads and egress, but the team's own network. */
export type ProviderToolContext = Omit<ToolContext, 'files' | 'reads' | 'egress'>;

/** How far a call is. */
export interface ToolProgress {
  /** How much is done, in the tool's own unit. */
  readonly done: number;
  /** How much there is; undefined when not known. */
  readonly total?: number;
  /** For people. */
  readonly message?: string;
}

/** Structured log of one call: facts first, then a constant message. Never content of arguments or files. */
export interface CallLog {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
