import type { Caller } from '../domain/disk/caller.ts';
import { notAFile } from '../domain/disk/file-errors.ts';
import { type FileNode, maxFileBytes } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathNode, PathRequest } from './path-request.ts';

export interface ReadFileRequest extends PathRequest {
  /** First byte, from 0. */
  readonly offset: number;
  /** Bytes at most; 0 = as many as fit in a message. */
  readonly length: number;
}

export interface ReadFileOutcome extends PathNode<FileNode> {
  /** Shorter than asked for only at the end of the file. */
  readonly data: Uint8Array;
}

/** Reads bytes of a file. */
export class ReadFile {
  readonly #views: CallerViews;

  constructor({ views }: { readonly views: CallerViews }) {
    this.#views = views;
  }

  /** Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND or NOT_A_FILE. */
  async execute(caller: Caller, request: ReadFileRequest, signal: AbortSignal): Promise<ReadFileOutcome> {
    const tree = await this.#views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.filesAt(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw notAFile(path);
    }
    const length = request.length === 0 ? maxFileBytes : Math.min(request.length, maxFileBytes);
    const { data, node } = await disk.read(path, { offset: request.offset, length }, signal);
    return { path, node, data };
  }
}
