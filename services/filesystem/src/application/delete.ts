import type { Caller } from '../domain/disk/caller.ts';
import type { FileStore, RemoveRequest } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import { mountFixed } from '../domain/view/view-errors.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathChangeRequest } from './path-request.ts';
import type { Changes } from './ports/changes.ts';

export interface DeleteRequest extends PathChangeRequest, RemoveRequest {}

export interface DeleteDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly changes: Changes;
}

/** Deletes a file or directory. */
export class Delete {
  readonly #deps: DeleteDeps;

  constructor(deps: DeleteDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND, NOT_GRANTED, PATH_PROTECTED, MOUNT_READ_ONLY (also for a mount itself),
   * DIRECTORY_NOT_EMPTY, ETAG_MISMATCH, DISK_UNSUPPORTED, FENCED or IDEMPOTENCY_KEY_REUSED; then nothing was deleted.
   */
  async execute(caller: Caller, request: DeleteRequest, signal: AbortSignal): Promise<void> {
    const { views, outputs, changes } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path, 'delete');
    if (disk === undefined || tree.view.isFixed(path)) {
      throw mountFixed(path);
    }
    await tree.assertMayTake(path, undefined, signal);
    const remove = async (store: FileStore) => {
      await disk.on(store).remove(path, request, signal);
      return {};
    };
    const { isRepeated } = await changes.make(tree.view.change(request), disk.store, remove, signal);
    // What is there after a repeated call may have been written since.
    if (disk.mount.isOutput && !isRepeated) {
      await outputs.forget(tree.view.id, path);
    }
  }
}
