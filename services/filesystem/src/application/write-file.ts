import type { Caller } from '../domain/disk/caller.ts';
import { fileExists, fileTooLarge, notAFile } from '../domain/disk/file-errors.ts';
import { type FileNode, type FileStore, maxFileBytes, type WriteGuard } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathChangeRequest, PathNode } from './path-request.ts';
import type { Changes } from './ports/changes.ts';
import { writeOnce } from './write-once.ts';

export interface WriteFileRequest extends PathChangeRequest, WriteGuard {
  readonly data: Uint8Array;
}

export interface WriteFileOutcome extends PathNode<FileNode> {
  /** True when nothing was there before. */
  readonly isCreated: boolean;
}

export interface WriteFileDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly changes: Changes;
}

/** Writes a whole file and makes the directories above it. */
export class WriteFile {
  readonly #deps: WriteFileDeps;

  constructor(deps: WriteFileDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND (no mount), MOUNT_READ_ONLY, NOT_A_FILE, NOT_A_DIRECTORY,
   * ETAG_MISMATCH, FILE_EXISTS, FILE_TOO_LARGE, VIEW_CLOSED, PATH_PROTECTED, NOT_GRANTED, QUOTA_EXCEEDED, DISK_UNSUPPORTED,
   * FENCED or IDEMPOTENCY_KEY_REUSED; then nothing was written.
   */
  async execute(caller: Caller, request: WriteFileRequest, signal: AbortSignal): Promise<WriteFileOutcome> {
    const { views, outputs, changes } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw request.createOnly === true ? fileExists(path) : notAFile(path);
    }
    if (request.data.length > maxFileBytes) {
      throw fileTooLarge(path, maxFileBytes);
    }
    const mayBeRepeated = request.once !== undefined && !disk.store.capabilities.atomic;
    const write = (store: FileStore) => writeOnce(disk.on(store), path, { ...request, mayBeRepeated }, signal);
    const { answer } = await changes.make(tree.view.change(request), disk.store, write, signal);
    if (disk.mount.isOutput) {
      await outputs.add(tree.view.id, [path]);
    }
    return { path, node: answer.node, isCreated: answer.isCreated };
  }
}
