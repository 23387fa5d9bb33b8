import type { Change } from '../../domain/change/change.ts';
import type { FileStore } from '../../domain/disk/file-store.ts';
import type { LayerState } from '../../domain/layer/layer-entry.ts';
import type { LayerRows } from '../../domain/layer/layer-rows.ts';
import type { LowerMount } from '../../domain/layer/layered-files.ts';
import type { CommitAnswer, Conflict, TreeItem } from '../../domain/layer/publishing.ts';
import type { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { SessionView } from '../../domain/view/session-view.ts';

/** What is published in one transaction. */
export interface TreePublication {
  /** The version of the layer that the items were read at. */
  readonly version: number;
  /** Entries for tree disks. */
  readonly items: readonly TreeItem[];
  /** Conflicts on other disks: with any, nothing is published. */
  readonly known: readonly Conflict[];
  /** True: over what others have written. */
  readonly overwrites: boolean;
  /** What becomes of the layer, if there is no conflict. */
  readonly next: { readonly state: LayerState; readonly answer: CommitAnswer };
}

/** The layer of one view. Methods throw DATABASE_UNAVAILABLE. */
export interface ViewLayer extends LayerRows {
  /** The files at a mount with the layer over them; changes go into the layer. */
  files(lower: LowerMount, lowerAt: (path: VirtualPath) => LowerMount): FileStore;

  /** What CommitRun has answered, once the layer is over or met conflicts. */
  answer(): Promise<CommitAnswer | undefined>;

  /**
   * Publishes to tree disks what is still as the run has found it, and sets the state, in one transaction; with a conflict
   * nothing is published and the state is CONFLICT. Answers the conflicts, or that the layer is not at that version any more.
   * Throws FENCED when a later dispatch has fenced the session.
   */
  publish(change: Change, publication: TreePublication): Promise<readonly Conflict[] | 'moved'>;

  /** Takes entries out of the layer that were published elsewhere. */
  settle(paths: readonly VirtualPath[]): Promise<void>;

  /** All that is left is published, or can not be. */
  close(answer: CommitAnswer): Promise<void>;

  /** Drops the layer unless it is published. Answers the state after it. Throws FENCED as `publish` does. */
  rollBack(change: Change, answer: CommitAnswer): Promise<LayerState>;
}

/** A union mount whose first disk is a tree disk. */
export interface UnionDeps {
  /** The user who changes it. */
  readonly uid: SessionView['uid'];
  readonly lower: LowerMount;
  readonly lowerAt: (path: VirtualPath) => LowerMount;
  /** The number of the last change of that disk. */
  readonly head: () => Promise<number>;
  /** Where a path of the view is on it, and what the sources below it show there. */
  readonly locate: (path: VirtualPath) => Promise<Omit<TreeItem, 'entry'>>;
}

/** The layers of views. */
export interface Layers {
  /** The files at a union mount of a view without a layer; changes go to its first disk. */
  union(union: UnionDeps): FileStore;

  /** Of a view with pins. */
  of(view: SessionView): ViewLayer;

  /** Drops all that is kept of the layers of views. */
  forget(viewIds: readonly SessionView['id'][]): Promise<void>;
}
