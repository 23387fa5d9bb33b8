import type { Caller } from '../domain/disk/caller.ts';
import { fileNotFound } from '../domain/disk/file-errors.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathNode, PathRequest } from './path-request.ts';

/** Tells what is at a path. */
export class Stat {
  readonly #views: CallerViews;

  constructor({ views }: { readonly views: CallerViews }) {
    this.#views = views;
  }

  /** Throws VIEW_NOT_FOUND, PATH_INVALID or FILE_NOT_FOUND. */
  async execute(caller: Caller, request: PathRequest, signal: AbortSignal): Promise<PathNode> {
    const tree = await this.#views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const node = await tree.stat(path, signal);
    if (node === undefined) {
      throw fileNotFound(path);
    }
    return { path, node };
  }
}
