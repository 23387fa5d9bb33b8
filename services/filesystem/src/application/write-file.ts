import type { Caller } from '../domain/disk/caller.ts';
import { fileExists, fileTooLarge, notAFile } from '../domain/disk/file-errors.ts';
import { type FileNode, maxFileBytes, type WriteGuard } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathNode, PathRequest } from './path-request.ts';

export interface WriteFileRequest extends PathRequest, WriteGuard {
  readonly data: Uint8Array;
}

export interface WriteFileOutcome extends PathNode<FileNode> {
  /** True when nothing was there before. */
  readonly isCreated: boolean;
}

export interface WriteFileDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
}

/** Writes a whole file and makes the directories above it. */
export class WriteFile {
  readonly #deps: WriteFileDeps;

  constructor(deps: WriteFileDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND (no mount), MOUNT_READ_ONLY, NOT_A_FILE, NOT_A_DIRECTORY,
   * ETAG_MISMATCH, FILE_EXISTS, FILE_TOO_LARGE or DISK_UNSUPPORTED; then nothing was written.
   */
  async execute(caller: Caller, request: WriteFileRequest, signal: AbortSignal): Promise<WriteFileOutcome> {
    const { views, outputs } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw request.createOnly === true ? fileExists(path) : notAFile(path);
    }
    if (request.data.length > maxFileBytes) {
      throw fileTooLarge(path, maxFileBytes);
    }
    const { node, isCreated } = await disk.write(path, request.data, request, signal);
    if (disk.mount.isOutput) {
      await outputs.add(tree.view.id, [path]);
    }
    return { path, node, isCreated };
  }
}
