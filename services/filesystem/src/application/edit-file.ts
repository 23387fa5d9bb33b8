import type { Clock } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import {
  editAmbiguous,
  editNoMatch,
  etagMismatch,
  FileError,
  fileTooLarge,
  notAFile,
} from '../domain/disk/file-errors.ts';
import { type FileNode, maxFileBytes } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { MountedDisk } from './mounted-disk.ts';
import { Pacer } from './pacer.ts';
import type { PathNode, PathRequest } from './path-request.ts';
import { countMatches, replaceMatches } from './replace-exact.ts';

export interface EditFileRequest extends PathRequest {
  /** Not empty. */
  readonly oldText: string;
  readonly newText: string;
  /** False: exactly one match must exist. */
  readonly replaceAll: boolean;
  readonly ifMatch: string | undefined;
}

export interface EditFileOutcome extends PathNode<FileNode> {
  readonly replacements: number;
}

export interface EditFileDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Each lost attempt means that another writer won, so that this is only met when a file never comes to rest. */
const maxAttempts = 200;

/** Replaces exact text in a file, in one step with finding it: no writer in between is overwritten. */
export class EditFile {
  readonly #deps: EditFileDeps;

  constructor(deps: EditFileDeps) {
    this.#deps = deps;
  }

  /**
   * Without `ifMatch` an edit that another writer has overtaken is made again on what that one wrote.
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND, MOUNT_READ_ONLY, NOT_A_FILE, ETAG_MISMATCH, EDIT_NO_MATCH,
   * EDIT_AMBIGUOUS or FILE_TOO_LARGE; then nothing was changed.
   */
  async execute(caller: Caller, request: EditFileRequest, signal: AbortSignal): Promise<EditFileOutcome> {
    const { views, outputs } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw notAFile(path);
    }
    const outcome = await this.#edit(disk, path, request, signal);
    if (disk.mount.isOutput) {
      await outputs.add(tree.view.id, [path]);
    }
    return outcome;
  }

  async #edit(
    disk: MountedDisk,
    path: VirtualPath,
    request: EditFileRequest,
    signal: AbortSignal,
  ): Promise<EditFileOutcome> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#editOnce(disk, path, request, signal);
      } catch (error) {
        const isOvertaken = error instanceof FileError && error.reason === 'ETAG_MISMATCH';
        if (!isOvertaken || request.ifMatch !== undefined || attempt === maxAttempts) {
          throw error;
        }
        signal.throwIfAborted();
      }
    }
  }

  async #editOnce(
    disk: MountedDisk,
    path: VirtualPath,
    { oldText, newText, replaceAll, ifMatch }: EditFileRequest,
    signal: AbortSignal,
  ): Promise<EditFileOutcome> {
    const { data, node } = await disk.read(path, { offset: 0, length: maxFileBytes }, signal);
    if (ifMatch !== undefined && ifMatch !== node.etag) {
      throw etagMismatch(path, node.etag);
    }
    if (node.size > maxFileBytes) {
      throw fileTooLarge(path, maxFileBytes);
    }
    const edit = { content: data, oldBytes: utf8(oldText), newBytes: utf8(newText) };
    const pacer = new Pacer(this.#deps.clock, signal);
    const count = await countMatches(edit, replaceAll ? 'apart' : 'overlapping', pacer);
    if (count === 0) {
      throw editNoMatch(path);
    }
    if (count > 1 && !replaceAll) {
      throw editAmbiguous(path, count);
    }
    if (data.length + count * (edit.newBytes.length - edit.oldBytes.length) > maxFileBytes) {
      throw fileTooLarge(path, maxFileBytes);
    }
    const edited = await replaceMatches(edit, count, pacer);
    const written = await disk.write(path, edited, { ifMatch: node.etag }, signal);
    return { path, node: written.node, replacements: count };
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
