import type { Caller } from '../domain/disk/caller.ts';
import { compareNames } from '../domain/path/name-order.ts';
import { isMetered } from '../domain/usage/metered-store.ts';
import type { Quota, Usage } from '../domain/usage/usage.ts';
import type { CallerViews } from './caller-views.ts';
import type { Disks } from './view-disks.ts';

/** What a user has on a disk, and may have. */
export interface DiskUsage extends Usage {
  readonly disk: string;
  readonly quota: Quota;
}

export interface GetUsageDeps {
  readonly views: CallerViews;
  readonly disks: Disks;
}

/** Tells what the caller has on those disks of a view that count it. */
export class GetUsage {
  readonly #deps: GetUsageDeps;

  constructor(deps: GetUsageDeps) {
    this.#deps = deps;
  }

  /** Answers by name of the disk. Throws VIEW_NOT_FOUND. */
  async execute(caller: Caller, { viewId }: { readonly viewId: string }): Promise<readonly DiskUsage[]> {
    const { views, disks } = this.#deps;
    const { mounts } = await views.find(caller, viewId);
    // What a service writes for the session is nobody's.
    const own = mounts.filter(({ writer }) => writer === undefined);
    const names = new Set(own.flatMap(({ sources }) => sources.map(({ disk }) => disk)));
    const usages: DiskUsage[] = [];
    for (const disk of [...names].toSorted(compareNames)) {
      const store = disks.get(disk);
      if (store !== undefined && isMetered(store)) {
        usages.push({ disk, quota: store.quota, ...(await store.usageOf(caller.uid)) });
      }
    }
    return usages;
  }
}
