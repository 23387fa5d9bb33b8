import type { DiskNode } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';

/** What was or is at a path, as far as watchers are told. */
export type SeenNode = { readonly kind: 'file'; readonly etag: string } | { readonly kind: 'directory' };

/** A path that was touched: what was there, and what is there now. Both may be the same. */
export interface PathDifference {
  readonly path: VirtualPath;
  /** Undefined when nothing was there. */
  readonly before: SeenNode | undefined;
  /** Undefined when nothing is there. */
  readonly after: SeenNode | undefined;
}

/** What a watcher is told of a path. */
export interface PathChange {
  readonly path: VirtualPath;
  readonly kind: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** Of a file that is there now; else empty. */
  readonly etag: string;
}

export function seenNodeOf(node: DiskNode | undefined): SeenNode | undefined {
  switch (node?.kind) {
    case undefined:
      return undefined;
    case 'file':
      return { kind: 'file', etag: node.etag };
    case 'directory':
      return { kind: 'directory' };
  }
}

export function isSameNode(left: SeenNode | undefined, right: SeenNode | undefined): boolean {
  return left?.kind === right?.kind && etagOf(left) === etagOf(right);
}

/** Empty for what is no file. */
export function etagOf(node: SeenNode | undefined): string {
  return node?.kind === 'file' ? node.etag : '';
}
