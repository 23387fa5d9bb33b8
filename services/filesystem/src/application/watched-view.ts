import type { Caller } from '../domain/disk/caller.ts';
import type { LayerHead } from '../domain/layer/layer-entry.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { LayerNode } from '../domain/union/layer-node.ts';
import type { Mount } from '../domain/view/mount.ts';
import { isSameNode, type PathChange, type PathDifference, seenNodeOf } from '../domain/watching/path-difference.ts';
import { PendingChanges, type PendingPath } from '../domain/watching/pending-changes.ts';
import { maxPendingPaths, watcherTooSlow } from '../domain/watching/watch-errors.ts';
import type { CallerViews } from './caller-views.ts';
import type { Followed } from './ports/change-feed.ts';
import type { ViewLayer } from './ports/layers.ts';
import type { TreeHistory } from './ports/tree-history.ts';
import { touchedElsewhere } from './touched-elsewhere.ts';
import { hidesLower, type Touched, toldAlone, touchedAmong } from './touched-paths.ts';
import { viewDifferences } from './view-differences.ts';
import { ViewMoment, type ViewPosition } from './view-moment.ts';
import type { ViewTree } from './view-tree.ts';

export interface WatchedViewDeps {
  readonly views: CallerViews;
  readonly history: TreeHistory;
  readonly followed: Followed;
  readonly caller: Caller;
  readonly tree: ViewTree;
  /** The directory that is watched. */
  readonly top: VirtualPath;
}

interface Position extends ViewPosition {
  readonly layer: LayerHead | undefined;
  /** `Standing.layer`, not newer than `layer`. */
  readonly mark: string;
}

/**
 * A directory of a view, and how far it was told. While a layer is open only the layer changes; without one, or when it is
 * over, the disks do. What is told is the difference of two moments, each of which shows all of a change or nothing.
 */
export class WatchedView {
  readonly #deps: WatchedViewDeps;
  #position: Position = { heads: new Map(), entries: new Map(), layer: undefined, mark: '' };

  constructor(deps: WatchedViewDeps) {
    this.#deps = deps;
  }

  /** From now on nothing is missed. Throws DATABASE_UNAVAILABLE. */
  async begin(signal: AbortSignal): Promise<void> {
    await this.#deps.followed.look(signal);
    this.#position = await this.#look(signal);
  }

  /** What has changed since the last call. After a failure the next call tells it. Throws WATCHER_TOO_SLOW. */
  async advance(signal: AbortSignal): Promise<readonly PathChange[]> {
    const { tree, top, caller, views, followed } = this.#deps;
    const next = await this.#look(signal);
    const at = (position: ViewPosition) => new ViewMoment(views.at(caller, tree.view, position));
    const after = at(next);
    const differences: PathDifference[] = [];
    const touched: Touched[] = this.#inLayer(next);
    for (const mount of tree.view.mounts) {
      if (this.#isAlone(mount, next)) {
        differences.push(...(await this.#alone(mount, next)));
      } else {
        touched.push(...(await this.#among(mount, next)));
      }
    }
    const moments = { before: at(this.#position), after };
    differences.push(...(await viewDifferences(this.#watched(touched), top, moments, signal)));
    // Last, for it is told once only.
    const elsewhere = this.#otherThanLayer(await touchedElsewhere(followed.touched(), tree.view, after, signal));
    this.#position = next;
    return this.#changes([differences, elsewhere]);
  }

  /** What a run publishes, its own view has shown before. */
  #otherThanLayer(pending: readonly PendingPath[]): PendingPath[] {
    return pending.flatMap((each) => {
      const node = this.#position.entries.get(each.path.text)?.node;
      const before = node === undefined || node.kind === 'whiteout' ? undefined : seenNodeOf(node);
      const isShown = before !== undefined && isSameNode(before, each.after);
      return isShown ? [] : { ...each, before: before ?? each.before };
    });
  }

  #changes(steps: readonly (readonly PathDifference[])[]): readonly PathChange[] {
    const { tree, top } = this.#deps;
    const isTold = ({ path }: PathDifference) => path.isWithin(top) && !path.equals(top) && tree.mayRead(path);
    const pending = new PendingChanges();
    steps.forEach((step) => pending.add(step.filter(isTold)));
    if (pending.size > maxPendingPaths) {
      throw watcherTooSlow();
    }
    return pending.take();
  }

  /** True where one disk is all there is to see. */
  #isAlone(mount: Mount, next: Position): boolean {
    const isLayered = this.#position.entries.size > 0 || next.entries.size > 0;
    return mount.sources.length === 1 && (mount.isReadOnly || !isLayered);
  }

  async #alone(mount: Mount, next: Position): Promise<PathDifference[]> {
    const [source] = mount.sources;
    return toldAlone(this.#deps.tree.view, mount, await this.#rows(source.disk, source.remote, next));
  }

  async #among(mount: Mount, next: Position): Promise<Touched[]> {
    const touched: Touched[] = [];
    for (const source of mount.sources) {
      const rows = await this.#rows(source.disk, mount.sources.length > 1 ? undefined : source.remote, next);
      touched.push(...touchedAmong(this.#deps.tree.view, mount, source, rows));
    }
    return touched;
  }

  /** `remote` is all that matters of a disk; it narrows only what nobody else asks for. */
  async #rows(disk: string, remote: VirtualPath | undefined, next: Position) {
    const [from, to] = [this.#position.heads.get(disk) ?? 0, next.heads.get(disk) ?? 0];
    const isOwnWindow = this.#position.layer !== undefined;
    return to > from ? this.#deps.history.between(disk, from, to, isOwnWindow ? remote?.text : undefined) : [];
  }

  #inLayer({ entries }: Position): Touched[] {
    const { entries: old } = this.#position;
    const all = new Map([...old, ...entries]);
    return [...all].flatMap(([text, { path }]) => {
      const [was, is] = [old.get(text)?.node, entries.get(text)?.node];
      return isSameEntry(was, is) ? [] : { path, isDeep: hidesLower(was) !== hidesLower(is) };
    });
  }

  /** What lies in the watched directory; itself for what may change all in it. */
  #watched(touched: readonly Touched[]): Touched[] {
    const { top } = this.#deps;
    return touched.flatMap((each) => {
      if (each.path.isWithin(top) && !each.path.equals(top)) {
        return each;
      }
      return each.isDeep && top.isWithin(each.path) ? { path: top, isDeep: true } : [];
    });
  }

  async #look(signal: AbortSignal): Promise<Position> {
    const { tree, followed } = this.#deps;
    const { heads: standing, layer: mark } = followed.standing;
    const known = this.#position;
    if (tree.layer === undefined || (known.layer !== undefined && isOver(known.layer))) {
      return { heads: standing, entries: new Map(), layer: known.layer, mark };
    }
    // Disks without a pin are seen as they are, also while a layer is open.
    const pinnedHeads = new Map([...standing, ...(tree.view.pins ?? [])]);
    if (known.layer !== undefined && isPinned(known.layer) && known.mark === mark) {
      return { ...known, heads: pinnedHeads };
    }
    const { head: layer, entries } = await this.#layer(tree.layer.layer, signal);
    // What a layer has published is on the disks by then: they are looked at after it.
    const heads = isPinned(layer) ? pinnedHeads : (await followed.look(signal)).heads;
    return { heads, entries, layer, mark };
  }

  async #layer(rows: ViewLayer, signal: AbortSignal) {
    const { layer: known, entries } = this.#position;
    for (;;) {
      signal.throwIfAborted();
      const head = await rows.head();
      if (known !== undefined && isSameHead(known, head) && head.state !== 'PUBLISHING') {
        return { head, entries };
      }
      const all = isOver(head) ? [] : await rows.all();
      if (isSameHead(head, await rows.head())) {
        return { head, entries: new Map(all.map((entry) => [entry.path.text, entry])) };
      }
    }
  }
}

/** The disks of a view whose changes are followed. */
export function followedDisks(tree: ViewTree): string[] {
  return [...new Set(tree.view.mounts.flatMap(({ sources }) => sources.map(({ disk }) => disk)))];
}

/** The view shows the disks as the run has found them. */
function isPinned({ state }: LayerHead): boolean {
  return state === 'OPEN' || state === 'CONFLICT';
}

function isOver({ state }: LayerHead): boolean {
  return state === 'PUBLISHED' || state === 'ROLLED_BACK';
}

function isSameHead(left: LayerHead, right: LayerHead): boolean {
  return left.version === right.version && left.state === right.state;
}

function isSameEntry(left: LayerNode | undefined, right: LayerNode | undefined): boolean {
  if (left?.kind === 'file' && right?.kind === 'file') {
    return left.etag === right.etag;
  }
  return left?.kind === right?.kind && hidesLower(left) === hidesLower(right);
}
