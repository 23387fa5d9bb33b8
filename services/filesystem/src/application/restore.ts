import type { Change } from '../domain/change/change.ts';
import type { StoredContent } from '../domain/disk/blob-target.ts';
import type { Caller } from '../domain/disk/caller.ts';
import { notAFile } from '../domain/disk/file-errors.ts';
import type { FileNode, FileStore, WriteOutcome } from '../domain/disk/file-store.ts';
import { versionNotFound } from '../domain/disk/version-errors.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import type { MountedDisk } from './mounted-disk.ts';
import type { PathChangeRequest, PathNode } from './path-request.ts';
import type { Changes } from './ports/changes.ts';
import { versionsSeenAt } from './seen-versions.ts';
import type { ViewTree } from './view-tree.ts';

export interface RestoreRequest extends PathChangeRequest {
  /** As ListVersions tells it. */
  readonly version: number;
  readonly ifMatch: string | undefined;
}

export interface RestoreDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly changes: Changes;
}

/** What is restored at a time. */
interface Restored {
  readonly tree: ViewTree;
  readonly disk: MountedDisk;
  readonly path: VirtualPath;
}

/** Writes the content of an earlier version of a file, which may be deleted by now. What it replaces becomes a version. */
export class Restore {
  readonly #deps: RestoreDeps;

  constructor(deps: RestoreDeps) {
    this.#deps = deps;
  }

  /**
   * Throws VIEW_NOT_FOUND, PATH_INVALID, FILE_NOT_FOUND (no mount), MOUNT_READ_ONLY, VIEW_CLOSED, NOT_GRANTED,
   * PATH_PROTECTED, NOT_A_FILE, NOT_A_DIRECTORY, VERSION_NOT_FOUND, ETAG_MISMATCH, DISK_UNSUPPORTED, QUOTA_EXCEEDED, FENCED or
   * IDEMPOTENCY_KEY_REUSED; then nothing was written.
   */
  async execute(caller: Caller, request: RestoreRequest, signal: AbortSignal): Promise<PathNode<FileNode>> {
    const { views, outputs } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const path = VirtualPath.parse(request.path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw notAFile(path);
    }
    const { node } = await this.#restoreUnlessDone({ tree, disk, path }, request, signal);
    if (disk.mount.isOutput) {
      await outputs.add(tree.view.id, [path]);
    }
    return { path, node };
  }

  /** A repeated request is answered, also when its version is not kept any more. */
  async #restoreUnlessDone(restored: Restored, request: RestoreRequest, signal: AbortSignal): Promise<WriteOutcome> {
    const { changes } = this.#deps;
    const change: Change = restored.tree.view.change(request);
    const done = change.once && (await changes.find<WriteOutcome>(change));
    if (done !== undefined) {
      return done;
    }
    const { disk, path } = restored;
    const content = await contentOf(restored, request.version);
    const write = (store: FileStore) => disk.on(store).writeStored(path, content, { ifMatch: request.ifMatch }, signal);
    return (await changes.make(change, disk.store, write, signal)).answer;
  }
}

async function contentOf({ tree, path }: Restored, version: number): Promise<StoredContent> {
  const found = await versionsSeenAt(tree, path)?.find(version);
  if (found === undefined) {
    throw versionNotFound(path);
  }
  const { etag, size } = found.node;
  return { etag, size };
}
