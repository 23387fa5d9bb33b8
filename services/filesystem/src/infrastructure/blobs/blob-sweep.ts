import { type Database, insertRows } from '@spanwise/persistence';
import type { OutsideStore } from './outside-store.ts';

const hourMs = 60 * 60_000;
/** How long what was released may still be read: more than a request takes. */
const trashMs = hourMs;
/** How long content may be on its way into a transaction. */
const stagedMs = 24 * hourMs;
/** Rows of a page. */
const page = 64;

/**
 * Removes from the store what no blob has: what was released an hour ago, and what was stored a day ago for a transaction that
 * never came. Several processes may do it at once.
 */
export class BlobSweep {
  readonly #database: Database;
  readonly #store: OutsideStore;

  constructor({ database, store }: { readonly database: Database; readonly store: OutsideStore }) {
    this.#database = database;
    this.#store = store;
  }

  /** Answers how many were removed. Throws DISK_UNAVAILABLE; the next time goes on. */
  async sweep(nowMs: number, signal: AbortSignal): Promise<number> {
    await this.#abandon(nowMs - stagedMs, signal);
    await this.#see(nowMs, signal);
    const find = `select location from fs_blob_trash where seen_time_ms <= ? order by seen_time_ms limit ${page}`;
    let removed = 0;
    while (!signal.aborted) {
      const rows = await this.#database.all<{ location: string }>(find, [nowMs - trashMs]);
      for (const { location } of rows) {
        if (signal.aborted) {
          return removed;
        }
        await this.#store.remove(location, signal);
        removed += await this.#database.run('delete from fs_blob_trash where location = ?', [location]);
      }
      if (rows.length < page) {
        break;
      }
    }
    return removed;
  }

  /** Who releases need not know the time: it counts from the first sweep that sees what was released. */
  async #see(nowMs: number, signal: AbortSignal): Promise<void> {
    const find = `select location from fs_blob_trash where seen_time_ms is null limit ${page}`;
    while (!signal.aborted) {
      const rows = await this.#database.all<{ location: string }>(find, []);
      for (const { location } of rows) {
        // By its key: the rows that others are about to insert are not waited for.
        const see = 'update fs_blob_trash set seen_time_ms = ? where location = ? and seen_time_ms is null';
        await this.#database.run(see, [nowMs, location]);
      }
      if (rows.length < page) {
        return;
      }
    }
  }

  /** Makes trash of what nobody has used. Only then it is removed: a transaction that comes yet finds its row gone. */
  async #abandon(beforeMs: number, signal: AbortSignal): Promise<void> {
    const find = `select location from fs_staged_blobs where create_time_ms < ? limit ${page}`;
    while (!signal.aborted) {
      const rows = await this.#database.all<{ location: string }>(find, [beforeMs]);
      for (const { location } of rows) {
        await this.#database.transaction(async (tx) => {
          // Nobody reads it, so that it may go at once.
          if ((await tx.run('delete from fs_staged_blobs where location = ?', [location])) === 1) {
            await insertRows(tx, 'fs_blob_trash', ['location', 'seen_time_ms'], [[location, 0]]);
          }
        });
      }
      if (rows.length < page) {
        return;
      }
    }
  }
}
