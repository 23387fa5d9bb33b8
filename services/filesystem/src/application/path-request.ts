import type { ChangeSource } from '../domain/change/change.ts';
import type { DiskNode } from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';

/** What a use case about one path is asked. */
export interface PathRequest {
  readonly viewId: string;
  /** As the caller wrote it. */
  readonly path: string;
}

/** What a use case that changes something at one path is asked. */
export interface PathChangeRequest extends PathRequest, ChangeSource {}

/** What is at a path of a view. */
export interface PathNode<Node extends DiskNode = DiskNode> {
  readonly path: VirtualPath;
  readonly node: Node;
}
