import type { InterruptAnswer } from '../execution/interrupt.ts';
import type { Files } from '../files/files.ts';
import type { SessionReads } from '../files/read-versions.ts';

/** Everything that a tool may touch during one call. No token, no network, no disk of this machine. */
export interface ToolContext {
  /** The run's view of files; its operations end when `signal` aborts, and are refused after the call. */
  readonly files: Files;
  /** Which versions of files the session has read. */
  readonly reads: SessionReads;
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
  readonly log: CallLog;
}

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
