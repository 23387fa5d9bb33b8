import type { SessionId } from '@spanwise/kernel';
import { deletedFence } from '../domain/change/change.ts';
import type { Caller } from '../domain/disk/caller.ts';
import { diskUnavailable } from '../domain/disk/disk-errors.ts';
import { FileError } from '../domain/disk/file-errors.ts';
import { isVersioned } from '../domain/disk/versioned-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { viewNotFound } from '../domain/view/view-errors.ts';
import type { ViewRepository } from '../domain/view/view-repository.ts';
import type { Changes } from './ports/changes.ts';
import type { Layers } from './ports/layers.ts';
import type { Uploads } from './ports/uploads.ts';
import type { Disks } from './view-disks.ts';

export interface DeleteSessionDataDeps {
  readonly views: ViewRepository;
  readonly outputs: OutputLog;
  readonly changes: Changes;
  readonly layers: Layers;
  readonly uploads: Pick<Uploads, 'forget'>;
  readonly disks: Disks;
}

/**
 * Deletes what belongs to a session: the files of mounts that are private to it, its outputs, keys and views. What it wrote
 * to shared directories stays. Again, it deletes what a failure left.
 */
export class DeleteSessionData {
  readonly #deps: DeleteSessionDataDeps;

  constructor(deps: DeleteSessionDataDeps) {
    this.#deps = deps;
  }

  /**
   * Fine when nothing is there. Throws VIEW_NOT_FOUND for a session of somebody else, and DISK_UNAVAILABLE, also for a disk
   * that is not configured any more: its files are not known to be gone.
   */
  async execute(caller: Caller, sessionId: SessionId, signal: AbortSignal): Promise<void> {
    const { views, outputs, changes, layers, uploads } = this.#deps;
    const known = await views.ofSession(sessionId);
    if (known.some(({ uid }) => uid !== caller.uid)) {
      throw viewNotFound();
    }
    await changes.fence(sessionId, deletedFence, deletedFence);
    // From now on there is no change and no new view.
    const all = await views.ofSession(sessionId);
    const folders = all.flatMap((view) => view.privateFolders());
    const once = new Map(folders.map((folder) => [`${folder.disk} ${folder.path.text}`, folder]));
    for (const { disk, path } of once.values()) {
      await this.#remove(caller, disk, path, signal);
    }
    const ids = all.map(({ id }) => id);
    await outputs.forgetViews(ids);
    await changes.forget(ids);
    await layers.forget(ids);
    await uploads.forget(ids);
    // Last: without them nobody knows what else there is to delete.
    await views.delete(ids);
  }

  async #remove(caller: Caller, disk: string, path: VirtualPath, signal: AbortSignal): Promise<void> {
    const store = this.#deps.disks.get(disk);
    if (store === undefined) {
      throw diskUnavailable(disk);
    }
    if (isVersioned(store)) {
      await store.erase(path);
      return;
    }
    try {
      await store.remove(caller, path, { isRecursive: true }, signal);
    } catch (error) {
      const isGone = error instanceof FileError && error.reason === 'FILE_NOT_FOUND';
      if (!isGone) {
        throw error;
      }
    }
  }
}
