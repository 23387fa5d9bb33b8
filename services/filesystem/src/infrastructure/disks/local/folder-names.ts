import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { compareNames } from '../../../domain/path/name-order.ts';
import { isSegment } from '../../../domain/path/virtual-path.ts';
import type { Folder } from './folder.ts';
import { identityOf, isSettled } from './inode-identity.ts';
import { isTemporaryName } from './temporary-file.ts';

export interface NamesPage {
  readonly names: readonly string[];
  /** True when there are names after these. */
  readonly hasMore: boolean;
}

/** Names that are held for the pages of long listings. */
const maxHeld = 250_000;

/**
 * Names of folders in byte order, page by page. A folder has no order of its own, so each page needs all of its names: from
 * the second page on they are held, for as long as the folder does not change.
 */
export class FolderNames {
  readonly #held = new Map<string, readonly string[]>();
  #heldCount = 0;

  /** The first names after `after`, of files and directories that a path leads to. */
  async page(folder: Folder, after: string, limit: number, signal: AbortSignal): Promise<NamesPage> {
    if (after === '') {
      return firstNames(folder, limit, signal);
    }
    const names = await this.#all(folder, signal);
    const begin = firstAfter(names, after);
    return { names: names.slice(begin, begin + limit), hasMore: names.length > begin + limit };
  }

  async #all(folder: Folder, signal: AbortSignal): Promise<readonly string[]> {
    const before = await lstat(folder.locationOf('.'), { bigint: true });
    const identity = identityOf(before);
    const held = this.#held.get(identity);
    if (held !== undefined) {
      return held;
    }
    const names: string[] = [];
    for await (const name of namesOf(folder)) {
      names.push(name);
      if (names.length % 1024 === 0) {
        signal.throwIfAborted();
      }
    }
    names.sort(compareNames);
    const after = await lstat(folder.locationOf('.'), { bigint: true });
    if (isSettled(before) && identityOf(after) === identity) {
      this.#hold(identity, names);
    }
    return names;
  }

  #hold(identity: string, names: readonly string[]): void {
    if (names.length > maxHeld || this.#held.has(identity)) {
      return;
    }
    this.#held.set(identity, names);
    this.#heldCount += names.length;
    // A map keeps the order in which it was filled.
    for (const [oldest, { length }] of this.#held) {
      if (this.#heldCount <= maxHeld) {
        return;
      }
      this.#held.delete(oldest);
      this.#heldCount -= length;
    }
  }
}

/** Reads the whole folder but holds no more than two pages of it: most listings end with their first page. */
async function firstNames(folder: Folder, limit: number, signal: AbortSignal): Promise<NamesPage> {
  let names: string[] = [];
  let hasMore = false;
  const trim = () => {
    hasMore ||= names.length > limit;
    names = names.toSorted(compareNames).slice(0, limit);
  };
  for await (const name of namesOf(folder)) {
    names.push(name);
    if (names.length === 2 * limit + 256) {
      signal.throwIfAborted();
      trim();
    }
  }
  trim();
  return { names, hasMore };
}

async function* namesOf(folder: Folder): AsyncGenerator<string> {
  for await (const entry of await opendir(folder.location, { bufferSize: 256 })) {
    if (isWanted(entry)) {
      yield entry.name;
    }
  }
}

function isWanted(entry: Dirent): boolean {
  const isOther =
    entry.isSymbolicLink() || entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice();
  return !isOther && isSegment(entry.name) && !isTemporaryName(entry.name);
}

/** Where names that come after `after` begin. */
function firstAfter(names: readonly string[], after: string): number {
  let low = 0;
  for (let high = names.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (compareNames(names[middle] ?? '', after) > 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
