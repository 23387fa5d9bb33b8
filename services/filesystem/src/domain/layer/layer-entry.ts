import type { DiskNode } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { LayerNode } from '../union/layer-node.ts';

/**
 * What has become of the changes of a run. OPEN: it goes on. CONFLICT: publishing met conflicts, its owner decides.
 * PUBLISHING: tree disks are published, others not all yet. PUBLISHED and ROLLED_BACK: over; the layer is empty.
 */
export type LayerState = 'OPEN' | 'CONFLICT' | 'PUBLISHING' | 'PUBLISHED' | 'ROLLED_BACK';

/** What lower layers showed at a path when the run first changed it. */
export interface Base {
  readonly kind: 'none' | 'file' | 'directory';
  /** Of a file; else empty. */
  readonly etag: string;
}

/** A change of a run at one path. */
export interface LayerEntry {
  /** In the view. */
  readonly path: VirtualPath;
  /** The etag of a file is the SHA-256 of its content. */
  readonly node: LayerNode;
  readonly base: Base;
}

/** Where a layer stands. */
export interface LayerHead {
  readonly state: LayerState;
  /** Grows with each change; 0 for a layer in which nothing was changed. */
  readonly version: number;
  /** Bytes of all files in it. */
  readonly bytes: number;
  /** Paths that it has something at. */
  readonly entries: number;
  /** True: nothing was changed for so long that what the view has found is not kept any more: it sees disks as they are. */
  readonly isUnpinned?: boolean;
  /** When it was last changed, milliseconds since 1970 UTC; undefined while nothing was. */
  readonly changeTimeMs?: number;
}

/** How long nothing has to be changed before the owner of a run may end a layer that its driver has not ended. */
const abandonedMs = 10 * 60 * 1000;

/** Whether a run still works on a layer, as far as can be told: its driver may have ended it while this service was away. */
export function isInUse({ state, changeTimeMs }: LayerHead, openedMs: number, nowMs: number): boolean {
  return state === 'OPEN' && nowMs - (changeTimeMs ?? openedMs) < abandonedMs;
}

export const emptyLayer: LayerHead = { state: 'OPEN', version: 0, bytes: 0, entries: 0 };

export function baseOf(node: DiskNode | undefined): Base {
  switch (node?.kind) {
    case undefined:
      return { kind: 'none', etag: '' };
    case 'file':
      return { kind: 'file', etag: node.etag };
    case 'directory':
      return { kind: 'directory', etag: '' };
  }
}

export function isSameBase(left: Base, right: Base): boolean {
  return left.kind === right.kind && left.etag === right.etag;
}

/** False for a directory that is only there to hold what was changed in it. */
export function isChange({ node, base }: LayerEntry): boolean {
  return node.kind !== 'directory' || node.isOpaque === true || base.kind !== 'directory';
}

/** Bytes that an entry counts. */
export function bytesOf(node: LayerNode | undefined): number {
  return node?.kind === 'file' ? node.size : 0;
}
