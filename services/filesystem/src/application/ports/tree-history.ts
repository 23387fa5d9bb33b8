import type { LayerNode } from '../../domain/union/layer-node.ts';

/** A path of a disk that was touched, with the marks that were and are there. */
export interface TouchedPath {
  /** Text of the path on its disk. */
  readonly path: string;
  readonly before: LayerNode | undefined;
  readonly after: LayerNode | undefined;
}

/** What has changed on disks that number their changes. */
export interface TreeHistory {
  /**
   * All paths that the changes of a disk after `from`, up to `to`, have touched, those that are again as they were included.
   * `folder`: only that directory and what is in it. Throws WATCHER_TOO_SLOW for more than 100,000, DATABASE_UNAVAILABLE.
   */
  between(disk: string, from: number, to: number, folder?: string): Promise<readonly TouchedPath[]>;
}
