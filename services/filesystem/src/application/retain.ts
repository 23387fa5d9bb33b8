import type { Clock } from '@spanwise/kernel';
import type { VersionLimits } from '../domain/disk/version-limits.ts';
import { isVersioned } from '../domain/disk/versioned-store.ts';
import { prunableVersions } from '../domain/retention/prunable-versions.ts';
import type { RetentionRepository } from '../domain/retention/retention-repository.ts';
import type { Disks } from './view-disks.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** How long a view that has changed nothing sees the disks as it has found them, and a layer waits for its owner. */
const layerMs: number = dayMs;
/** How long a request may take that has seen what is not kept any more; also more than the clocks of replicas differ. */
const settleMs = 10 * minuteMs;
/** How long answers of changes are kept. */
const keysMs = 30 * dayMs;

/** Rows, layers or paths that one step takes. */
const page = 500;
const pathsPerPage = 64;
const versionsPerStep = 64;

export interface RetainDeps {
  readonly retention: RetentionRepository;
  readonly disks: Disks;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Further things that are not to be kept: each throws them away and answers how many. */
  readonly sweeps?: readonly ((nowMs: number, signal: AbortSignal) => Promise<number>)[];
  /** Told of what could not be thrown away; the next time tries again. */
  readonly onError: (error: unknown) => void;
}

/** What was thrown away. */
export interface Retained {
  readonly prunedVersions: number;
  readonly expiredLayers: number;
  /** Views without changes that see the disks as they are from now on. */
  readonly unpinnedViews: number;
  readonly forgottenKeys: number;
  /** By further sweeps. */
  readonly swept: number;
}

/**
 * Throws away what is not to be kept: versions of files that are too many or too old, unless a run that goes on has found
 * them; changes of runs that their owners have left in conflict; answers of old changes. Several processes may do it at once.
 */
export class Retain {
  readonly #deps: RetainDeps;

  constructor(deps: RetainDeps) {
    this.#deps = deps;
  }

  /** Ends early, after a small step, when the signal is aborted. */
  async execute(signal: AbortSignal): Promise<Retained> {
    const nowMs = this.#deps.clock.nowMs();
    const count = async (work: () => AsyncIterable<number>) => {
      let total = 0;
      try {
        for await (const done of work()) {
          total += done;
          if (signal.aborted) {
            break;
          }
        }
      } catch (error) {
        this.#deps.onError(error);
      }
      return total;
    };
    const expiredLayers = await count(() => this.#expire(nowMs));
    await count(() => this.#empty(nowMs));
    const { retention } = this.#deps;
    let unpinnedViews = 0;
    const addUnpinned = (views: number) => {
      unpinnedViews += views;
    };
    const prunedVersions = await count(() => this.#prune(nowMs, signal, addUnpinned));
    const forgottenKeys = await count(() => whole((limit) => retention.forgetKeys(nowMs - keysMs, limit)));
    const swept = await count(() => this.#sweep(nowMs, signal));
    return { prunedVersions, expiredLayers, unpinnedViews, forgottenKeys, swept };
  }

  async *#expire(nowMs: number): AsyncGenerator<number> {
    const { retention } = this.#deps;
    const beforeMs = nowMs - layerMs;
    for (;;) {
      const views = await retention.expiredLayers(beforeMs, page);
      for (const viewId of views) {
        yield (await retention.expire(viewId, beforeMs, nowMs)) ? 1 : 0;
      }
      if (views.length < page) {
        return;
      }
    }
  }

  /** Rows of layers that this or another process has ended; who was stopped at it is followed by the next. */
  async *#empty(nowMs: number): AsyncGenerator<number> {
    const { retention } = this.#deps;
    for (;;) {
      const views = await retention.endedLayers(nowMs - 7 * dayMs, page);
      for (const viewId of views) {
        while (await retention.emptyLayer(viewId)) {
          yield 1;
        }
      }
      if (views.length < page) {
        return;
      }
    }
  }

  async *#prune(nowMs: number, signal: AbortSignal, onUnpinned: (views: number) => void): AsyncGenerator<number> {
    // All of them before anything that they have found goes.
    for await (const views of whole((limit) => this.#deps.retention.unpin(nowMs - layerMs, nowMs, limit))) {
      onUnpinned(views);
      if (signal.aborted) {
        return;
      }
    }
    // Read once: a pin that comes after it is of a change that is newer than all that goes.
    const pins = await this.#deps.retention.pins(nowMs - layerMs, nowMs - settleMs);
    for (const [disk, store] of this.#deps.disks) {
      if (isVersioned(store)) {
        yield* this.#pruneDisk(disk, store.versionLimits, pins.get(disk) ?? [], nowMs);
      }
    }
  }

  async *#pruneDisk(
    disk: string,
    { keep, days }: VersionLimits,
    pins: readonly number[],
    nowMs: number,
  ): AsyncGenerator<number> {
    const { retention } = this.#deps;
    const agedMs = nowMs - days * dayMs;
    const rules = { keep, agedMs, settledMs: nowMs - settleMs, pins };
    for (let after = ''; ; ) {
      const keys = await retention.overfull(disk, { keep, agedMs, after, limit: pathsPerPage });
      const versions = prunableVersions(keys.length === 0 ? [] : await retention.versionsOf(disk, keys), rules);
      for (let done = 0; done < versions.length; done += versionsPerStep) {
        yield await retention.prune(disk, versions.slice(done, done + versionsPerStep));
      }
      yield 0;
      after = keys.at(-1) ?? '';
      if (keys.length < pathsPerPage) {
        return;
      }
    }
  }

  async *#sweep(nowMs: number, signal: AbortSignal): AsyncGenerator<number> {
    for (const sweep of signal.aborted ? [] : (this.#deps.sweeps ?? [])) {
      yield await sweep(nowMs, signal);
    }
  }
}

/** Takes pages until there is none that is full. */
async function* whole(take: (limit: number) => Promise<number>): AsyncGenerator<number> {
  for (;;) {
    const taken = await take(page);
    yield taken;
    if (taken < page) {
      return;
    }
  }
}
