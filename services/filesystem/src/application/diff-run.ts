import type { Caller } from '../domain/disk/caller.ts';
import { isChange, type LayerEntry, type LayerState } from '../domain/layer/layer-entry.ts';
import { compareNames } from '../domain/path/name-order.ts';
import type { CallerViews } from './caller-views.ts';
import type { PageTokens } from './ports/page-tokens.ts';

export interface DiffRunRequest {
  readonly viewId: string;
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

export interface DiffPage {
  /** By path, in byte order. */
  readonly changes: readonly LayerEntry[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
  /** Undefined for a view without a layer. */
  readonly state: LayerState | undefined;
}

export interface DiffRunDeps {
  readonly views: CallerViews;
  readonly tokens: PageTokens;
}

/** Lists what a run has changed and not published. */
export class DiffRun {
  readonly #deps: DiffRunDeps;

  constructor(deps: DiffRunDeps) {
    this.#deps = deps;
  }

  /** Throws VIEW_NOT_FOUND or INVALID_PAGE_TOKEN. */
  async execute(caller: Caller, { viewId, pageSize, pageToken }: DiffRunRequest): Promise<DiffPage> {
    const { views, tokens } = this.#deps;
    const { view, layer: open } = await views.open(caller, viewId);
    const query = `diff ${view.id}`;
    const after = tokens.open(query, pageToken);
    if (open === undefined) {
      return { changes: [], nextPageToken: '', state: undefined };
    }
    const all = (await open.layer.all()).filter(isChange);
    const rest = all
      .filter(({ path }) => after === '' || compareNames(path.text, after) > 0)
      .toSorted((left, right) => compareNames(left.path.text, right.path.text));
    const changes = rest.slice(0, pageSize);
    const last = changes.at(-1);
    const nextPageToken = rest.length > pageSize && last !== undefined ? tokens.seal(query, last.path.text) : '';
    return { changes, nextPageToken, state: open.head.state };
  }
}
