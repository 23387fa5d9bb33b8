import type { Caller } from '../domain/disk/caller.ts';
import type { FileVersion } from '../domain/disk/versioned-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathRequest } from './path-request.ts';
import { versionsSeenAt } from './seen-versions.ts';

/** Versions that are listed at most. */
const maxVersions = 20;

/** Lists what was published at a path. */
export class ListVersions {
  readonly #views: CallerViews;

  constructor({ views }: { readonly views: CallerViews }) {
    this.#views = views;
  }

  /**
   * Newest first, at most {@link maxVersions}; none for a directory or what was never there.
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND (no mount), NOT_GRANTED or DISK_UNSUPPORTED.
   */
  async execute(caller: Caller, request: PathRequest): Promise<readonly FileVersion[]> {
    const tree = await this.#views.open(caller, request.viewId);
    const versions = versionsSeenAt(tree, VirtualPath.parse(request.path));
    return versions?.list(maxVersions) ?? [];
  }
}
