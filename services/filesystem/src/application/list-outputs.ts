import type { Caller } from '../domain/disk/caller.ts';
import { FileError } from '../domain/disk/file-errors.ts';
import type { FileNode } from '../domain/disk/file-store.ts';
import { mediaTypeOf, sniffedBytes } from '../domain/output/media-type.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathNode } from './path-request.ts';
import type { PageTokens } from './ports/page-tokens.ts';
import type { ViewTree } from './view-tree.ts';

export interface ListOutputsRequest {
  readonly viewId: string;
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

export interface OutputFile extends PathNode<FileNode> {
  readonly mediaType: string;
}

export interface OutputsPage {
  /** By path, in byte order. */
  readonly files: readonly OutputFile[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

export interface ListOutputsDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly tokens: PageTokens;
}

/** Lists what a run has created or changed under output mounts and is still there. */
export class ListOutputs {
  readonly #deps: ListOutputsDeps;

  constructor(deps: ListOutputsDeps) {
    this.#deps = deps;
  }

  /** Throws VIEW_NOT_FOUND or INVALID_PAGE_TOKEN. */
  async execute(caller: Caller, request: ListOutputsRequest, signal: AbortSignal): Promise<OutputsPage> {
    const { views, outputs, tokens } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const { id } = tree.view;
    const query = `outputs ${id}`;
    let after = tokens.open(query, request.pageToken);
    const files: OutputFile[] = [];
    // What was deleted by another run leaves gaps: a page is filled from beyond them.
    for (;;) {
      const missing = request.pageSize - files.length;
      const paths = await outputs.list(id, { after, limit: missing + 1 });
      for (const path of paths.slice(0, missing)) {
        const file = await outputAt(tree, path, signal);
        files.push(...(file === undefined ? [] : [file]));
        after = path.text;
      }
      if (paths.length <= missing) {
        return { files, nextPageToken: '' };
      }
      if (files.length === request.pageSize) {
        return { files, nextPageToken: tokens.seal(query, after) };
      }
    }
  }
}

async function outputAt(tree: ViewTree, path: VirtualPath, signal: AbortSignal): Promise<OutputFile | undefined> {
  try {
    const slice = await tree.filesAt(path)?.read(path, { offset: 0, length: sniffedBytes }, signal);
    return slice === undefined ? undefined : { path, node: slice.node, mediaType: mediaTypeOf(path.name, slice.data) };
  } catch (error) {
    if (error instanceof FileError) {
      return undefined;
    }
    throw error;
  }
}
