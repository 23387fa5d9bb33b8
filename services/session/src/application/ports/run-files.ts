import type { ExecSpanContext, RunId } from '@spanwise/kernel';
import type { OutputFile } from '../../domain/event/agent-event.ts';
import type { Caller } from './caller.ts';

/** Whose files are meant, and who asks. */
export interface FilesRequest {
  readonly runId: RunId;
  /** Epoch of the dispatch that ends the run. */
  readonly epoch: number;
  /** Files belong to the user, so that the user asks. */
  readonly caller: Caller;
  /** The span that stands for it in the run's log. */
  readonly span: ExecSpanContext;
}

/** What came of publishing. */
export interface Publication {
  /**
   * `partial`: all but what could not be written. `conflict`: nothing, and what the run has changed is kept. `rolled-back`:
   * it was dropped before.
   */
  readonly result: 'published' | 'partial' | 'conflict' | 'rolled-back';
  /** Paths that somebody else has changed meanwhile. */
  readonly conflicts: number;
  /** Paths that were not written, for operators. */
  readonly unpublished: readonly string[];
  /** Files under output mounts, by path. */
  readonly outputs: readonly OutputFile[];
}

/** What came of dropping. */
export interface Rollback {
  /** Files, directories and deletions that were dropped, now or before. */
  readonly changes: number;
  /** It was too late: they are published, at least in part, and stay. */
  readonly isPublished: boolean;
}

/**
 * What a run has written: seen by it alone until it is published or dropped, each at most once, however often it is asked
 * for. Both throw SERVICE_UNAVAILABLE when the filesystem service does not answer, FENCED when the run is somebody else's by
 * now, and what filesystem says. Guards: publishesOnce.
 */
export interface RunFiles {
  commit(request: FilesRequest, signal: AbortSignal): Promise<Publication>;
  rollback(request: FilesRequest, signal: AbortSignal): Promise<Rollback>;
}
