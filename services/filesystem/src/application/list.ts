import type { Caller } from '../domain/disk/caller.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathNode, PathRequest } from './path-request.ts';
import type { PageTokens } from './ports/page-tokens.ts';

export interface ListRequest extends PathRequest {
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

export interface ListedPage {
  readonly entries: readonly PathNode[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
  /** Disks of optional sources that could not be reached. */
  readonly partialSources: readonly string[];
}

export interface ListDeps {
  readonly views: CallerViews;
  readonly tokens: PageTokens;
}

/** Lists a directory by name in byte order. */
export class List {
  readonly #deps: ListDeps;

  constructor(deps: ListDeps) {
    this.#deps = deps;
  }

  /** Throws VIEW_NOT_FOUND, PATH_INVALID, INVALID_PAGE_TOKEN, FILE_NOT_FOUND or NOT_A_DIRECTORY. */
  async execute(caller: Caller, request: ListRequest, signal: AbortSignal): Promise<ListedPage> {
    const { views, tokens } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const query = `list ${tree.view.id} ${path.text}`;
    const after = tokens.open(query, request.pageToken);
    const { entries, next } = await tree.list(path, { after, limit: request.pageSize, withEtags: true }, signal);
    const nextPageToken = next === undefined ? '' : tokens.seal(query, next);
    return { entries, nextPageToken, partialSources: tree.partialSources };
  }
}
