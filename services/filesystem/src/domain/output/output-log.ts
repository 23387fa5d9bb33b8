import type { RunId } from '@spanwise/kernel';
import type { VirtualPath } from '../path/virtual-path.ts';

export interface OutputPageRequest {
  /** Paths after this one in byte order; empty = from the first. */
  readonly after: string;
  /** Paths at most; at least 1. */
  readonly limit: number;
}

/**
 * Which paths a view has created or changed under output mounts. A change is answered to its caller only after it is
 * kept here, also when its caller has gone meanwhile. Methods throw DATABASE_UNAVAILABLE.
 */
export interface OutputLog {
  /** Adds paths; fine for those that are there. */
  add(viewId: RunId, paths: readonly VirtualPath[]): Promise<void>;

  /** Forgets a path and all below it: the view has deleted or moved them. */
  forget(viewId: RunId, path: VirtualPath): Promise<void>;

  /** Forgets all paths of views. */
  forgetViews(viewIds: readonly RunId[]): Promise<void>;

  /** Paths in byte order, `limit` of them unless there are no more. */
  list(viewId: RunId, request: OutputPageRequest): Promise<readonly VirtualPath[]>;
}
