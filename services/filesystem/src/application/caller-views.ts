import { type Access, openAccess } from '../domain/access/access.ts';
import type { Caller } from '../domain/disk/caller.ts';
import { emptyLayer } from '../domain/layer/layer-entry.ts';
import { SessionView } from '../domain/view/session-view.ts';
import { viewNotFound } from '../domain/view/view-errors.ts';
import type { ViewRepository } from '../domain/view/view-repository.ts';
import type { Layers } from './ports/layers.ts';
import { SnapshotLayer } from './snapshot-layer.ts';
import type { Disks } from './view-disks.ts';
import type { ViewPosition } from './view-moment.ts';
import { ViewTree } from './view-tree.ts';

export interface CallerViewsDeps {
  readonly views: ViewRepository;
  readonly disks: Disks;
  readonly layers: Layers;
  /** Default: everything is allowed. */
  readonly access?: Access;
}

/**
 * Finds the views of a caller: the first check of every use case. The order of all of them is: the view is the caller's,
 * the path parses, a mount covers it, the mount may be changed, the guard holds, the disk does it.
 */
export class CallerViews {
  readonly #views: ViewRepository;
  readonly #disks: Disks;
  readonly #layers: Layers;
  readonly #access: Access;

  constructor({ views, disks, layers, access = openAccess }: CallerViewsDeps) {
    this.#access = access;
    this.#views = views;
    this.#disks = disks;
    this.#layers = layers;
  }

  /** Throws VIEW_NOT_FOUND for a view that does not exist, and in the same words for one of somebody else. */
  async open(caller: Caller, viewId: string): Promise<ViewTree> {
    const view = await this.find(caller, viewId);
    const layer = view.pins && this.#layers.of(view);
    return new ViewTree(view, caller, {
      disks: this.#disks,
      access: this.#access,
      layers: this.#layers,
      layer: layer && { layer, head: await layer.head() },
    });
  }

  /** What a view of the caller shows at a position; it can not be changed. */
  at(caller: Caller, view: SessionView, { heads, entries }: ViewPosition): ViewTree {
    const head = { ...emptyLayer, version: entries.size === 0 ? 0 : 1, entries: entries.size };
    const { id, uid, sessionId, mounts, createTimeMs } = view;
    const pinned = new SessionView({ id, uid, sessionId, mounts, createTimeMs, pins: heads });
    return new ViewTree(pinned, caller, {
      disks: this.#disks,
      access: this.#access,
      layers: this.#layers,
      layer: { layer: new SnapshotLayer(entries), head },
    });
  }

  /** The view itself. Throws as {@link CallerViews.open} does. */
  async find(caller: Caller, viewId: string): Promise<SessionView> {
    const view = await this.#views.find(viewId);
    if (view === undefined || view.uid !== caller.uid) {
      throw viewNotFound();
    }
    return view;
  }
}
