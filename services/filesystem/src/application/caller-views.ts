import type { Caller } from '../domain/disk/caller.ts';
import { viewNotFound } from '../domain/view/view-errors.ts';
import type { ViewRepository } from '../domain/view/view-repository.ts';
import { type Disks, ViewTree } from './view-tree.ts';

export interface CallerViewsDeps {
  readonly views: ViewRepository;
  readonly disks: Disks;
}

/**
 * Finds the views of a caller: the first check of every use case. The order of all of them is: the view is the caller's,
 * the path parses, a mount covers it, the mount may be changed, the guard holds, the disk does it.
 */
export class CallerViews {
  readonly #views: ViewRepository;
  readonly #disks: Disks;

  constructor({ views, disks }: CallerViewsDeps) {
    this.#views = views;
    this.#disks = disks;
  }

  /** Throws VIEW_NOT_FOUND for a view that does not exist, and in the same words for one of somebody else. */
  async open(caller: Caller, viewId: string): Promise<ViewTree> {
    const view = await this.#views.find(viewId);
    if (view === undefined || view.uid !== caller.uid) {
      throw viewNotFound();
    }
    return new ViewTree(view, caller, this.#disks);
  }
}
