import type { Clock } from '@spanwise/kernel';
import type { Change } from '../domain/change/change.ts';
import type { Caller } from '../domain/disk/caller.ts';
import {
  editAmbiguous,
  editNoMatch,
  etagMismatch,
  FileError,
  fileTooLarge,
  notAFile,
} from '../domain/disk/file-errors.ts';
import { type FileNode, type FileStore, maxFileBytes } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { MountedDisk } from './mounted-disk.ts';
import { Pacer } from './pacer.ts';
import type { PathChangeRequest, PathNode } from './path-request.ts';
import type { Changes } from './ports/changes.ts';
import { countMatches, replaceMatches } from './replace-exact.ts';

export interface EditFileRequest extends PathChangeRequest {
  /** Not empty. */
  readonly oldText: string;
  readonly newText: string;
  /** False: exactly one match must exist. */
  readonly replaceAll: boolean;
  readonly ifMatch: string | undefined;
}

/** What is kept of an edit. */
interface EditAnswer {
  readonly node: FileNode;
  readonly replacements: number;
}

export interface EditFileOutcome extends PathNode<FileNode>, EditAnswer {}

export interface EditFileDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly changes: Changes;
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
   * EDIT_AMBIGUOUS, FILE_TOO_LARGE, FENCED or IDEMPOTENCY_KEY_REUSED; then nothing was changed.
   */
  async execute(caller: Caller, request: EditFileRequest, signal: AbortSignal): Promise<EditFileOutcome> {
    const { views, outputs } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    tree.assertMay('read', path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw notAFile(path);
    }
    const { node, replacements } = await this.#editUnlessDone(tree.view.change(request), disk, path, request, signal);
    if (disk.mount.isOutput) {
      await outputs.add(tree.view.id, [path]);
    }
    return { path, node, replacements };
  }

  /** A repeated edit must not meet what it has written: its answer is looked for before, and when it meets something. */
  async #editUnlessDone(
    change: Change,
    disk: MountedDisk,
    path: VirtualPath,
    request: EditFileRequest,
    signal: AbortSignal,
  ): Promise<EditAnswer> {
    const find = async () => change.once && (await this.#deps.changes.find<EditAnswer>(change));
    const done = await find();
    if (done !== undefined) {
      return done;
    }
    try {
      return await this.#edit(change, disk, path, request, signal);
    } catch (error) {
      const doneMeanwhile = error instanceof FileError ? await find() : undefined;
      if (doneMeanwhile === undefined) {
        throw error;
      }
      return doneMeanwhile;
    }
  }

  async #edit(
    change: Change,
    disk: MountedDisk,
    path: VirtualPath,
    request: EditFileRequest,
    signal: AbortSignal,
  ): Promise<EditAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#editOnce(change, disk, path, request, signal);
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
    change: Change,
    disk: MountedDisk,
    path: VirtualPath,
    { oldText, newText, replaceAll, ifMatch }: EditFileRequest,
    signal: AbortSignal,
  ): Promise<EditAnswer> {
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
    const write = async (store: FileStore) => {
      const written = await disk.on(store).write(path, edited, { ifMatch: node.etag }, signal);
      return { node: written.node, replacements: count };
    };
    return (await this.#deps.changes.make(change, disk.store, write, signal)).answer;
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
