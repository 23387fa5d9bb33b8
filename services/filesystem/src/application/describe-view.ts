import type { Caller } from '../domain/disk/caller.ts';
import type { LayerState } from '../domain/layer/layer-entry.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import type { CallerViews } from './caller-views.ts';

export interface DescribedView {
  readonly view: SessionView;
  /** Undefined for a view without a layer. */
  readonly state: LayerState | undefined;
}

/** Tells what a view is made of. */
export class DescribeView {
  readonly #views: CallerViews;

  constructor({ views }: { readonly views: CallerViews }) {
    this.#views = views;
  }

  /** Throws VIEW_NOT_FOUND. */
  async execute(caller: Caller, { viewId }: { readonly viewId: string }): Promise<DescribedView> {
    const { view, layer } = await this.#views.open(caller, viewId);
    return { view, state: layer?.head.state };
  }
}
