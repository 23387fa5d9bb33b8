import type { Clock } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { isVersioned } from '../domain/disk/versioned-store.ts';
import { isChange, isInUse, type LayerEntry, type LayerState } from '../domain/layer/layer-entry.ts';
import { layerInUse } from '../domain/layer/layer-errors.ts';
import { type CommitAnswer, type Conflict, maxListed, type TreeItem } from '../domain/layer/publishing.ts';
import { toInner } from '../domain/view/mount.ts';
import type { CallerViews } from './caller-views.ts';
import type { ListOutputs, OutputFile } from './list-outputs.ts';
import type { ViewLayer } from './ports/layers.ts';
import { type OtherItem, PublishFiles } from './publish-files.ts';
import type { OpenLayer } from './view-disks.ts';
import type { ViewTree } from './view-tree.ts';

export interface CommitRunRequest {
  readonly viewId: string;
  /** Of the dispatch that ends the run; 0 = the owner of a run that is over, and was not published. */
  readonly epoch: number;
  /** True: over what others have written. */
  readonly overwrites: boolean;
}

export interface CommitRunOutcome extends CommitAnswer {
  readonly outputs: readonly OutputFile[];
  readonly hasMoreOutputs: boolean;
}

export interface CommitRunDeps {
  readonly views: CallerViews;
  readonly listOutputs: ListOutputs;
  readonly clock: Pick<Clock, 'nowMs'>;
}

const nothing: CommitAnswer = { result: 'PUBLISHED', conflicts: [], unpublished: [], changes: 0 };

/** Each lost attempt means that the run itself has changed something meanwhile. */
const maxAttempts = 100;

/**
 * Publishes what a run has changed: on tree disks all at once or not at all, then on the others file by file. A second time
 * it answers the same.
 */
export class CommitRun {
  readonly #deps: CommitRunDeps;

  constructor(deps: CommitRunDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, FENCED, NOT_GRANTED, QUOTA_EXCEEDED for what was never reserved, LAYER_IN_USE for an owner whose
   * run goes on, and DISK_UNAVAILABLE when a disk that is
   * written file by file does not answer: then it goes on there when it is asked again.
   */
  async execute(caller: Caller, request: CommitRunRequest, signal: AbortSignal): Promise<CommitRunOutcome> {
    const answer = await this.#commit(caller, request, signal);
    if (answer.result === 'CONFLICT' || answer.result === 'ROLLED_BACK') {
      return { ...answer, outputs: [], hasMoreOutputs: false };
    }
    const page = { viewId: request.viewId, pageSize: maxListed, pageToken: '' };
    const { files, nextPageToken } = await this.#deps.listOutputs.execute(caller, page, signal);
    return { ...answer, outputs: files, hasMoreOutputs: nextPageToken !== '' };
  }

  async #commit(caller: Caller, request: CommitRunRequest, signal: AbortSignal): Promise<CommitAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const tree = await this.#deps.views.open(caller, request.viewId);
      if (tree.layer === undefined) {
        return nothing;
      }
      const answer = await new Commit(tree, tree.layer, caller, request, this.#deps.clock.nowMs(), signal).run();
      if (answer !== 'moved') {
        return answer;
      }
      if (attempt === maxAttempts) {
        throw layerInUse();
      }
    }
  }
}

/** One attempt to publish a layer as it is now. */
class Commit {
  readonly #tree: ViewTree;
  readonly #layer: ViewLayer;
  readonly #open: OpenLayer;
  readonly #request: CommitRunRequest;
  readonly #others: PublishFiles;
  readonly #nowMs: number;
  readonly #signal: AbortSignal;

  constructor(
    tree: ViewTree,
    open: OpenLayer,
    caller: Caller,
    request: CommitRunRequest,
    nowMs: number,
    signal: AbortSignal,
  ) {
    this.#nowMs = nowMs;
    this.#tree = tree;
    this.#open = open;
    this.#layer = open.layer;
    this.#request = request;
    this.#signal = signal;
    this.#others = new PublishFiles({ layer: open.layer, caller, overwrites: request.overwrites, signal });
  }

  async run(): Promise<CommitAnswer | 'moved'> {
    const { state } = this.#open.head;
    if (state === 'PUBLISHED' || state === 'ROLLED_BACK') {
      return (await this.#layer.answer()) ?? nothing;
    }
    const { createTimeMs } = this.#tree.view;
    if (this.#request.epoch === 0 && isInUse(this.#open.head, createTimeMs, this.#nowMs)) {
      throw layerInUse();
    }
    if (state === 'PUBLISHING') {
      const { others } = this.#split(await this.#layer.all());
      return this.#finish(others);
    }
    if (state === 'CONFLICT' && !this.#request.overwrites && this.#request.epoch > 0) {
      // What the driver was told before.
      return (await this.#layer.answer()) ?? nothing;
    }
    return this.#publish(await this.#layer.all());
  }

  async #publish(entries: readonly LayerEntry[]): Promise<CommitAnswer | 'moved'> {
    const { trees, others } = this.#split(entries);
    const changed = entries.filter(isChange);
    changed.forEach(({ path }) => this.#tree.assertMay('publish', path));
    const elsewhere = await this.#others.conflicts(others);
    const state: LayerState = others.length > 0 ? 'PUBLISHING' : 'PUBLISHED';
    const next = { state, answer: { ...nothing, changes: changed.length } };
    const conflicts = await this.#layer.publish(this.#tree.view.change({ epoch: this.#request.epoch }), {
      version: this.#open.head.version,
      items: await this.#beneath(trees),
      known: elsewhere,
      overwrites: this.#request.overwrites,
      next,
    });
    if (conflicts === 'moved') {
      return 'moved';
    }
    if (conflicts.length > 0) {
      return conflictAnswer(conflicts);
    }
    return others.length > 0 ? this.#finish(others) : next.answer;
  }

  /** Writes to disks that can not join the others. */
  async #finish(others: readonly OtherItem[]): Promise<CommitAnswer> {
    const decided = (await this.#layer.answer()) ?? nothing;
    const { conflicts, unpublished } = await this.#others.publish(others);
    const isWhole = conflicts.length === 0 && unpublished.length === 0;
    const answer: CommitAnswer = { ...decided, result: isWhole ? 'PUBLISHED' : 'PARTIAL', conflicts, unpublished };
    await this.#layer.close(answer);
    return answer;
  }

  #split(entries: readonly LayerEntry[]) {
    const trees: Omit<TreeItem, 'beneath'>[] = [];
    const others: OtherItem[] = [];
    for (const entry of entries) {
      const mount = this.#tree.view.mountOf(entry.path);
      const source = mount?.sources[0];
      if (mount === undefined || source === undefined) {
        continue;
      }
      const inner = toInner({ outer: mount.path, inner: source.remote }, entry.path);
      const store = this.#tree.disks.diskOf(source);
      if (isVersioned(store)) {
        trees.push({ disk: source.disk, inner, entry });
      } else {
        others.push({ store, inner, entry });
      }
    }
    return { trees, others };
  }

  /** What the sources below a disk in its union show: read before the transaction, for they may be other disks. */
  async #beneath(items: readonly Omit<TreeItem, 'beneath'>[]): Promise<TreeItem[]> {
    const found: TreeItem[] = [];
    for (const item of items) {
      const mount = this.#tree.view.mountOf(item.entry.path);
      const beneath = mount && (await this.#tree.disks.beneath(mount, item.entry.path, this.#signal));
      found.push({ ...item, beneath });
    }
    return found;
  }
}

function conflictAnswer(conflicts: readonly Conflict[]): CommitAnswer {
  return { ...nothing, result: 'CONFLICT', conflicts: conflicts.slice(0, maxListed) };
}
