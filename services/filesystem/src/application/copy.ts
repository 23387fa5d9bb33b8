import type { Clock } from '@spanwise/kernel';
import type { Change, ChangeSource } from '../domain/change/change.ts';
import type { Caller } from '../domain/disk/caller.ts';
import type { CopyOutcome } from '../domain/disk/copy-target.ts';
import { fileExists } from '../domain/disk/file-errors.ts';
import type { FileStore } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import { addOutputsBelow } from './add-outputs.ts';
import type { CallerViews } from './caller-views.ts';
import { copyItem } from './copy-item.ts';
import type { MountedDisk } from './mounted-disk.ts';
import type { PathNode } from './path-request.ts';
import { type CopyPlan, planCopy } from './plan-copy.ts';
import type { Changes } from './ports/changes.ts';
import { fixedDirectory, type ViewTree } from './view-tree.ts';

export interface CopyRequest extends ChangeSource {
  readonly viewId: string;
  readonly fromPath: string;
  readonly toPath: string;
}

export interface CopyFilesOutcome extends PathNode {
  /** Files that were copied. */
  readonly files: number;
}

export interface CopyDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly changes: Changes;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Copies a file or directory, also to another disk; what comes of it is output of the run. */
export class Copy {
  readonly #deps: CopyDeps;

  constructor(deps: CopyDeps) {
    this.#deps = deps;
  }

  /**
   * Copies into a layer, and to a union, are one change. On other disks a directory is copied file by file: a failure leaves
   * what was copied until then, and the same key goes on there.
   *
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND, MOUNT_READ_ONLY, VIEW_CLOSED, NOT_GRANTED, PATH_PROTECTED, FILE_EXISTS,
   * NOT_A_DIRECTORY, FILE_TOO_LARGE, TOO_MANY_CHANGES, QUOTA_EXCEEDED, ETAG_MISMATCH (what is copied has changed meanwhile),
   * FENCED or IDEMPOTENCY_KEY_REUSED.
   */
  async execute(caller: Caller, request: CopyRequest, signal: AbortSignal): Promise<CopyFilesOutcome> {
    const { views, outputs, changes } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const from = VirtualPath.parse(request.fromPath);
    const to = VirtualPath.parse(request.toPath);
    const target = tree.diskToChange(to);
    if (target === undefined || tree.view.isFixed(to)) {
      throw fileExists(to);
    }
    const change = tree.view.change(request);
    const kept = await changes.find<CopyOutcome>(change);
    const { node, files } = kept ?? (await this.#copy(tree, target, { from, to }, change, signal));
    if (target.mount.isOutput) {
      await (node.kind === 'file' ? outputs.add(tree.view.id, [to]) : addOutputsBelow(this.#deps, tree, to));
    }
    return { path: to, node, files };
  }

  async #copy(
    tree: ViewTree,
    target: MountedDisk,
    { from, to }: { readonly from: VirtualPath; readonly to: VirtualPath },
    change: Change,
    signal: AbortSignal,
  ): Promise<CopyOutcome> {
    const plan = await planCopy(tree, from, to, signal);
    if (!target.copiesFromView) {
      return this.#copyOneByOne(target, plan, change, signal);
    }
    const copy = (store: FileStore) => target.on(store).copyFromView(from, to, signal);
    return (await this.#deps.changes.make(change, target.store, copy, signal)).answer;
  }

  async #copyOneByOne(
    target: MountedDisk,
    { source, top, below }: CopyPlan,
    change: Change,
    signal: AbortSignal,
  ): Promise<CopyOutcome> {
    const { changes } = this.#deps;
    // What a repeated copy finds may be its own, once it has begun: that is kept with a key that no caller can send.
    const begin = change.once && { ...change.once, key: `${change.once.key} begin` };
    const assertFree = async (store: FileStore) => {
      if ((await target.on(store).stat(top.to, signal)) !== undefined) {
        throw fileExists(top.to);
      }
      return {};
    };
    await changes.make({ ...change, once: begin }, target.store, assertFree, signal);
    const deps = { changes, source, target, mayBeRepeated: begin !== undefined, signal };
    const step = { ...change, once: undefined };
    const copied = await copyItem(deps, step, top);
    for (const item of below) {
      signal.throwIfAborted();
      await copyItem(deps, step, item);
    }
    const files = [top, ...below].filter(({ node }) => node.kind === 'file').length;
    const outcome: CopyOutcome = { node: copied.kind === 'file' ? copied : fixedDirectory, files };
    return (await changes.make(change, target.store, async () => outcome, signal)).answer;
  }
}
