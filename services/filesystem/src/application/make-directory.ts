import type { Caller } from '../domain/disk/caller.ts';
import type { DirectoryNode, FileStore } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathChangeRequest, PathNode } from './path-request.ts';
import type { Changes } from './ports/changes.ts';
import { fixedDirectory } from './view-tree.ts';

export interface MakeDirectoryDeps {
  readonly views: CallerViews;
  readonly changes: Changes;
}

/** Makes a directory and those above it. */
export class MakeDirectory {
  readonly #deps: MakeDirectoryDeps;

  constructor(deps: MakeDirectoryDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND (no mount), MOUNT_READ_ONLY, NOT_A_DIRECTORY, FENCED or
   * IDEMPOTENCY_KEY_REUSED.
   */
  async execute(caller: Caller, request: PathChangeRequest, signal: AbortSignal): Promise<PathNode<DirectoryNode>> {
    const { views, changes } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      return { path, node: fixedDirectory };
    }
    const make = (store: FileStore) => disk.on(store).makeDirectory(path, signal);
    const { answer } = await changes.make(tree.view.change(request), disk.store, make, signal);
    return { path, node: answer };
  }
}
