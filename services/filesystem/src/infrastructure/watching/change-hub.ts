import type { RunId } from '@spanwise/kernel';
import type { Database } from '@spanwise/persistence';
import type { ChangeFeed, Followed } from '../../application/ports/change-feed.ts';
import type { PathDifference } from '../../domain/watching/path-difference.ts';
import { Follower } from './follower.ts';
import { readStandings } from './sql-standings.ts';

export interface ChangeHubDeps {
  readonly database: Database;
  /** How often the database is looked at for what other processes change, in milliseconds; default 1000. */
  readonly pollMs?: number;
  /** Time between two looks at least, in milliseconds, when this process itself changes something; default 50. */
  readonly restMs?: number;
  /** Told of a look that failed; the next one tries again. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Tells all watchers of this process what has changed: the heads of tree disks and the layers of runs by one look at the
 * database a second for all of them, and at once when this process has changed something. Nobody looks while nobody watches.
 */
export class ChangeHub implements ChangeFeed {
  readonly #deps: ChangeHubDeps;
  readonly #followers = new Set<Follower>();
  #poll: NodeJS.Timeout | undefined;
  #rest: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #lookedMs = -Infinity;

  constructor(deps: ChangeHubDeps) {
    this.#deps = deps;
  }

  follow(disks: readonly string[], viewId: RunId | undefined): Followed {
    const end = (ended: Follower) => this.#end(ended);
    const follower = new Follower({ disks, viewId, look: () => this.#look(), end });
    this.#followers.add(follower);
    this.#poll ??= setInterval(() => this.#lookAround(), this.#deps.pollMs ?? 1000);
    return follower;
  }

  /** This process has changed something in the database. */
  changed(): void {
    if (this.#followers.size === 0 || this.#rest !== undefined) {
      return;
    }
    const { restMs = 50 } = this.#deps;
    const waitMs = Math.max(0, this.#lookedMs + restMs - performance.now());
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#lookAround();
    }, waitMs);
  }

  /** Whether somebody wants to know what is touched on a disk that numbers no changes. */
  isFollowed(disk: string): boolean {
    return [...this.#followers].some(({ disks }) => disks.includes(disk));
  }

  /** This process has touched paths of a disk that numbers no changes. */
  touched(disk: string, differences: readonly PathDifference[]): void {
    for (const follower of this.#followers) {
      if (follower.disks.includes(disk)) {
        follower.touch(disk, differences);
      }
    }
  }

  #end(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size === 0) {
      clearInterval(this.#poll);
      clearTimeout(this.#rest);
      this.#poll = undefined;
      this.#rest = undefined;
    }
  }

  #lookAround(): void {
    this.#look().catch((error: unknown) => this.#deps.onError?.(error));
  }

  /** A look that begins now, or after the one that goes on; one for all who ask meanwhile. */
  #look(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#read().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    const after = this.#running.catch(() => undefined);
    this.#next ??= after.then(() => {
      this.#next = undefined;
      return this.#look();
    });
    return this.#next;
  }

  async #read(): Promise<void> {
    this.#lookedMs = performance.now();
    const followers = [...this.#followers];
    const disks = new Set(followers.flatMap((follower) => follower.disks));
    const viewIds = new Set(followers.flatMap(({ viewId }) => viewId ?? []));
    const standings = await readStandings(this.#deps.database, [...disks], [...viewIds]);
    followers.forEach((follower) => follower.found(standings));
  }
}
