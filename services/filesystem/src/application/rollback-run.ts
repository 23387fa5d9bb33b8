import type { Clock } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { isChange, isInUse, type LayerState } from '../domain/layer/layer-entry.ts';
import { layerInUse } from '../domain/layer/layer-errors.ts';
import type { CommitAnswer } from '../domain/layer/publishing.ts';
import type { CallerViews } from './caller-views.ts';

export interface RollbackRunRequest {
  readonly viewId: string;
  /** Of the dispatch that ends the run; 0 = the owner of a run that is over, and was not published. */
  readonly epoch: number;
}

export interface RollbackRunOutcome {
  /** Undefined for a view without a layer. */
  readonly state: LayerState | undefined;
  /** Files, directories and deletions that were dropped, or published before. */
  readonly changes: number;
}

/** Drops what a run has changed. What is published stays. */
export class RollbackRun {
  readonly #views: CallerViews;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor({ views, clock }: { readonly views: CallerViews; readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#views = views;
    this.#clock = clock;
  }

  /** Again it answers the same. Throws VIEW_NOT_FOUND, FENCED, or LAYER_IN_USE for an owner whose run goes on. */
  async execute(caller: Caller, { viewId, epoch }: RollbackRunRequest): Promise<RollbackRunOutcome> {
    const { view, layer: open } = await this.#views.open(caller, viewId);
    if (open === undefined) {
      return { state: undefined, changes: 0 };
    }
    const { layer, head } = open;
    if (epoch === 0 && isInUse(head, view.createTimeMs, this.#clock.nowMs())) {
      throw layerInUse();
    }
    const entries = await layer.all();
    const changes = entries.filter(isChange).length;
    const answer: CommitAnswer = { result: 'ROLLED_BACK', conflicts: [], unpublished: [], changes };
    const state = await layer.rollBack(view.change({ epoch }), answer);
    return { state, changes: (await layer.answer())?.changes ?? 0 };
  }
}
