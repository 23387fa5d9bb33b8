import type { Caller } from '../domain/disk/caller.ts';
import { FileError, fileExists, fileTooLarge, notAFile } from '../domain/disk/file-errors.ts';
import {
  type FileNode,
  type FileStore,
  maxFileBytes,
  type WriteGuard,
  type WriteOutcome,
} from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { MountedDisk } from './mounted-disk.ts';
import type { PathChangeRequest, PathNode } from './path-request.ts';
import type { Changes } from './ports/changes.ts';

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
   * ETAG_MISMATCH, FILE_EXISTS, FILE_TOO_LARGE, DISK_UNSUPPORTED, FENCED or IDEMPOTENCY_KEY_REUSED; then nothing was
   * written.
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
    const write = (store: FileStore) => writeOnce(disk.on(store), path, request, signal);
    const { answer } = await changes.make(tree.view.change(request), disk.store, write, signal);
    if (disk.mount.isOutput) {
      await outputs.add(tree.view.id, [path]);
    }
    return { path, node: answer.node, isCreated: answer.isCreated };
  }
}

async function writeOnce(
  disk: MountedDisk,
  path: VirtualPath,
  request: WriteFileRequest,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  try {
    return await disk.write(path, request.data, request, signal);
  } catch (error) {
    const mayBeOwn = request.once !== undefined && !disk.store.capabilities.atomic && isGuardBroken(error);
    const node = mayBeOwn ? await nodeWith(disk, path, request.data, signal) : undefined;
    if (node === undefined) {
      throw error;
    }
    return { node, isCreated: request.createOnly === true };
  }
}

function isGuardBroken(error: unknown): boolean {
  return error instanceof FileError && (error.reason === 'FILE_EXISTS' || error.reason === 'ETAG_MISMATCH');
}

/**
 * The file that has this content already. On a disk that is not atomic a write whose process died before its answer was
 * kept meets itself when it is repeated.
 */
async function nodeWith(
  disk: MountedDisk,
  path: VirtualPath,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<FileNode | undefined> {
  const there = await disk.stat(path, signal);
  if (there?.kind !== 'file' || there.size !== data.length) {
    return undefined;
  }
  const slice = await disk.read(path, { offset: 0, length: maxFileBytes }, signal);
  const isSame = slice.data.length === data.length && data.every((byte, index) => byte === slice.data[index]);
  return isSame ? slice.node : undefined;
}
