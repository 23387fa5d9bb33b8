import { compareNames } from '../../../domain/path/name-order.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { isReachable, type ObjectKeys } from './object-keys.ts';
import type { ObjectStore } from './object-store.ts';
import type { StoredObject } from './stored-object.ts';

/** An entry of a directory; without an object it is a directory itself. */
export interface ListedEntry {
  readonly name: string;
  readonly object: StoredObject | undefined;
}

export interface ListedPage {
  /** By name in byte order. */
  readonly entries: readonly ListedEntry[];
  readonly hasMore: boolean;
  /** Whether the store has told any key at all. */
  readonly isThere: boolean;
}

export interface ListedNames {
  readonly after: string;
  readonly limit: number;
}

const maxPageKeys = 1000;
const minPageKeys = 100;

/**
 * A page of a directory by name. Stores list by key, where the directory `a` is `a/`: after the file `a.txt`, although its
 * name comes before. So it reads until it knows that no key to come can belong into the page, but for directories whose name
 * the last key begins with, and asks for those.
 */
export async function listDirectory(
  store: ObjectStore,
  keys: ObjectKeys,
  path: VirtualPath,
  { after, limit }: ListedNames,
  signal: AbortSignal,
): Promise<ListedPage> {
  const directory = keys.directory(path);
  const pageKeys = Math.min(Math.max(limit + 1, minPageKeys), maxPageKeys);
  const read = new ReadNames(after, store.isPaged ? pageKeys : Number.POSITIVE_INFINITY);
  const options = { pageKeys, isRecursive: false, after: after === '' ? undefined : directory.key + after };
  for await (const { key, object } of store.list(directory, options, signal)) {
    read.add(key.slice(directory.key.length), object);
    if (read.countOfComplete() > limit) {
      const candidates = read.directoriesToCome().map(async (name) => {
        const entry = path.entry(name);
        const isThere = entry !== undefined && (await store.hasDirectory(keys.directory(entry), signal));
        return isThere ? [{ name, object: undefined }] : [];
      });
      return pageOf([...read.complete(), ...(await Promise.all(candidates)).flat()], limit, true);
    }
  }
  return pageOf(read.all(), limit, read.count > 0);
}

function pageOf(entries: readonly ListedEntry[], limit: number, isThere: boolean): ListedPage {
  const sorted = entries.toSorted((left, right) => compareNames(left.name, right.name));
  return { entries: sorted.slice(0, limit), hasMore: sorted.length > limit, isThere };
}

/** The keys of a directory, without what they begin with, as they come. */
class ReadNames {
  /** Keys that were read. */
  count = 0;
  readonly #after: string;
  readonly #pageKeys: number;
  readonly #found = new Map<string, ListedEntry>();
  readonly #recent: string[] = [];
  /** No key to come is before it: it is of a page of the store that has been read to its end. */
  #bound = '';
  #isInOrder = true;

  constructor(after: string, pageKeys: number) {
    this.#after = after;
    this.#pageKeys = pageKeys;
  }

  add(key: string, object: StoredObject): void {
    this.count += 1;
    this.#isInOrder &&= this.#bound === '' || compareNames(key, this.#bound) > 0;
    this.#recent.push(key);
    // A page mixes directories and files, in any order, and has no more keys than were asked for.
    if (this.#recent.length > this.#pageKeys) {
      const left = this.#recent.shift() ?? '';
      this.#bound = compareNames(left, this.#bound) > 0 ? left : this.#bound;
    }
    const isDirectory = key.endsWith('/');
    const name = isDirectory ? key.slice(0, -1) : key;
    const isWanted = isReachable(name) && (this.#after === '' || compareNames(name, this.#after) > 0);
    // Where others have made both, the file hides the directory.
    if (isWanted && !(isDirectory && this.#found.has(name))) {
      this.#found.set(name, { name, object: isDirectory ? undefined : object });
    }
  }

  all(): readonly ListedEntry[] {
    return [...this.#found.values()];
  }

  /** Entries before which only {@link directoriesToCome} can still come. */
  complete(): readonly ListedEntry[] {
    return this.all().filter(({ name, object }) => {
      return compareNames(object === undefined ? `${name}/` : name, this.#bound) <= 0;
    });
  }

  countOfComplete(): number {
    const isWorthCounting = this.#isInOrder && this.#bound !== '' && this.count % minPageKeys === 0;
    return isWorthCounting ? this.complete().length : 0;
  }

  /** Names that the bound begins with and whose keys come after it. */
  directoriesToCome(): readonly string[] {
    const { length } = this.#bound;
    return Array.from({ length }, (_, index) => this.#bound.slice(0, index)).filter((name) => {
      const isCut = name !== '' && compareNames(this.#bound.slice(name.length), '/') < 0;
      const isHidden = this.#found.get(name)?.object !== undefined;
      return isCut && !isHidden && isReachable(name) && (this.#after === '' || compareNames(name, this.#after) > 0);
    });
  }
}
