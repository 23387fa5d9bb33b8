import type { Caller } from '../domain/disk/caller.ts';
import type { DirectoryNode } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathNode, PathRequest } from './path-request.ts';
import { fixedDirectory } from './view-tree.ts';

/** Makes a directory and those above it. */
export class MakeDirectory {
  readonly #views: CallerViews;

  constructor({ views }: { readonly views: CallerViews }) {
    this.#views = views;
  }

  /** Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND (no mount), MOUNT_READ_ONLY or NOT_A_DIRECTORY. */
  async execute(caller: Caller, request: PathRequest, signal: AbortSignal): Promise<PathNode<DirectoryNode>> {
    const tree = await this.#views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path);
    const isThere = disk === undefined || tree.view.isFixed(path);
    return { path, node: isThere ? fixedDirectory : await disk.makeDirectory(path, signal) };
  }
}
