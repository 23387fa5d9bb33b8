import type { Run } from '../../domain/run/run.ts';
import type { Publication } from './run-files.ts';

/** Told of what happens to runs beside their own course: for logs and metrics. */
export interface RunReports {
  /** A run was taken for another dispatch. `reason` is a number of spanwise.event.v1.AttemptReason. */
  taken(run: Run, reason: number): void;
  /** A run had to be given up here: it was fenced, or the database is away. Another process takes it. */
  lost(run: Run, error: unknown): void;
  /** A transaction whose answer was lost had been committed. */
  recognised(run: { readonly sessionId: string; readonly runId: string; readonly epoch: number }): void;
  /** Tool-host or filesystem did not answer a fence; it is tried again. */
  fenceFailed(run: Run, error: unknown): void;
  /** Filesystem did not answer at the end of a run; it is tried again. */
  publishFailed(run: Run, error: unknown): void;
  /** What a run has written is not published, and stays with its owner: filesystem was away for too long, or refused. */
  notPublished(run: Run, error: unknown): void;
  /** A run was published but for some paths, or, when others had changed some of its files, not at all. */
  publishedInPart(run: Run, publication: Publication): void;
  /** A look at the database failed; the next one tries again. */
  pollFailed(error: unknown): void;
}
