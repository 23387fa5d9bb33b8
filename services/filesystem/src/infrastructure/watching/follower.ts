import type { RunId } from '@spanwise/kernel';
import type { Followed, Standing } from '../../application/ports/change-feed.ts';
import type { PathDifference } from '../../domain/watching/path-difference.ts';
import { PendingChanges, type PendingPath } from '../../domain/watching/pending-changes.ts';
import { maxPendingPaths, watcherTooSlow } from '../../domain/watching/watch-errors.ts';
import type { Standings } from './sql-standings.ts';

export interface FollowerOptions {
  readonly disks: readonly string[];
  readonly viewId: RunId | undefined;
  /** Looks once more for all followers; begins after it is asked. */
  readonly look: () => Promise<void>;
  readonly end: (follower: Follower) => void;
}

/** One watcher's end of the hub. */
export class Follower implements Followed {
  readonly disks: readonly string[];
  readonly viewId: RunId | undefined;
  readonly #options: FollowerOptions;
  readonly #touched = new Map<string, PendingChanges>();
  #standing: Standing = { heads: new Map(), layer: '' };
  #isTooMuch = false;
  #hasNews = false;
  #wake: (() => void) | undefined;

  constructor(options: FollowerOptions) {
    this.disks = options.disks;
    this.viewId = options.viewId;
    this.#options = options;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get hasNews(): boolean {
    return this.#hasNews;
  }

  async look(signal: AbortSignal): Promise<Standing> {
    await unlessAborted(this.#options.look(), signal);
    return this.#standing;
  }

  async news(waitMs: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (!this.#hasNews) {
      await this.#waiting(waitMs, signal);
      signal.throwIfAborted();
    }
    const { hasNews } = this;
    this.#hasNews = false;
    return hasNews;
  }

  touched(): ReadonlyMap<string, readonly PendingPath[]> {
    if (this.#isTooMuch) {
      throw watcherTooSlow();
    }
    const touched = new Map([...this.#touched].map(([disk, { paths }]) => [disk, paths]));
    this.#touched.clear();
    return touched;
  }

  /** What was found when all followers were looked for. */
  found({ heads, layers }: Standings): void {
    const layer = this.viewId === undefined ? '' : layers.get(this.viewId);
    const mine = new Map(this.disks.flatMap((disk) => [[disk, heads.get(disk)] as const]));
    if (layer === undefined || [...mine.values()].includes(undefined)) {
      // It has come while that was read.
      return;
    }
    const { heads: known, layer: knownLayer } = this.#standing;
    const isSame = layer === knownLayer && this.disks.every((disk) => mine.get(disk) === known.get(disk));
    if (!isSame) {
      this.#standing = { heads: new Map([...mine].map(([disk, head]) => [disk, head ?? 0])), layer };
      this.#tell();
    }
  }

  /** What this process has touched on a disk that numbers no changes. */
  touch(disk: string, differences: readonly PathDifference[]): void {
    const pending = this.#touched.get(disk) ?? new PendingChanges();
    this.#touched.set(disk, pending);
    pending.add(differences);
    if (pending.size > maxPendingPaths) {
      this.#isTooMuch = true;
      this.#touched.clear();
    }
    this.#tell();
  }

  [Symbol.dispose](): void {
    this.#options.end(this);
    this.#touched.clear();
    this.#wake?.();
  }

  #tell(): void {
    this.#hasNews = true;
    this.#wake?.();
  }

  #waiting(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      signal.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }
}

/** The result of work that goes on by itself when nobody waits for it any more. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
