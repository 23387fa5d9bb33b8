import type { Caller } from '../domain/disk/caller.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import type { CallerViews } from './caller-views.ts';

/** Tells what a view is made of. */
export class DescribeView {
  readonly #views: CallerViews;

  constructor({ views }: { readonly views: CallerViews }) {
    this.#views = views;
  }

  /** Throws VIEW_NOT_FOUND. */
  async execute(caller: Caller, { viewId }: { readonly viewId: string }): Promise<SessionView> {
    return (await this.#views.open(caller, viewId)).view;
  }
}
