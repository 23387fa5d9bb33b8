import type { Clock } from '@spanwise/kernel';
import type { ChangeSource } from '../domain/change/change.ts';
import type { Caller } from '../domain/disk/caller.ts';
import { fileExists } from '../domain/disk/file-errors.ts';
import type { FileStore } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import { crossDisk, mountFixed } from '../domain/view/view-errors.ts';
import { addOutputsBelow } from './add-outputs.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathNode } from './path-request.ts';
import type { Changes } from './ports/changes.ts';

export interface MoveRequest extends ChangeSource {
  readonly viewId: string;
  readonly fromPath: string;
  readonly toPath: string;
}

export interface MoveDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly changes: Changes;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Moves a file or directory within one disk; what it becomes there is output of the run. */
export class Move {
  readonly #deps: MoveDeps;

  constructor(deps: MoveDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND, MOUNT_READ_ONLY (also for a mount itself), FILE_EXISTS,
   * NOT_A_DIRECTORY, CROSS_DISK, FENCED or IDEMPOTENCY_KEY_REUSED; then nothing was moved.
   */
  async execute(caller: Caller, request: MoveRequest, signal: AbortSignal): Promise<PathNode> {
    const { views, outputs, changes } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const from = VirtualPath.parse(request.fromPath);
    const to = VirtualPath.parse(request.toPath);
    const source = tree.diskToChange(from, 'delete');
    const target = tree.diskToChange(to);
    if (source === undefined || tree.view.isFixed(from)) {
      throw mountFixed(from);
    }
    if (target === undefined || tree.view.isFixed(to)) {
      throw fileExists(to);
    }
    if (source.disk !== target.disk) {
      throw crossDisk(to);
    }
    await tree.assertMayTake(from, to, signal);
    const rename = (store: FileStore) => source.on(store).rename(from, to, target, signal);
    const made = await changes.make(tree.view.change(request), source.store, rename, signal);
    const { answer: node, isRepeated } = made;
    // What is there after a repeated call may have been written since.
    if (source.mount.isOutput && !isRepeated) {
      await outputs.forget(tree.view.id, from);
    }
    if (target.mount.isOutput) {
      await (node.kind === 'file' ? outputs.add(tree.view.id, [to]) : addOutputsBelow(this.#deps, tree, to));
    }
    return { path: to, node };
  }
}
