import type { Caller } from '../domain/disk/caller.ts';
import type { RemoveRequest } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import { mountFixed } from '../domain/view/view-errors.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathRequest } from './path-request.ts';

export interface DeleteRequest extends PathRequest, RemoveRequest {}

export interface DeleteDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
}

/** Deletes a file or directory. */
export class Delete {
  readonly #deps: DeleteDeps;

  constructor(deps: DeleteDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND, MOUNT_READ_ONLY (also for a mount itself),
   * DIRECTORY_NOT_EMPTY, ETAG_MISMATCH or DISK_UNSUPPORTED; then nothing was deleted.
   */
  async execute(caller: Caller, request: DeleteRequest, signal: AbortSignal): Promise<void> {
    const { views, outputs } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw mountFixed(path);
    }
    await disk.remove(path, request, signal);
    if (disk.mount.isOutput) {
      await outputs.forget(tree.view.id, path);
    }
  }
}
