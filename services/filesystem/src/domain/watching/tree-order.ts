import { compareNames } from '../path/name-order.ts';
import type { VirtualPath } from '../path/virtual-path.ts';

interface HasPath {
  readonly path: VirtualPath;
}

/** Each directory right before all that is in it. In the order of their texts, `/a.txt` would come between `/a` and `/a/b`. */
export function inTreeOrder<Item extends HasPath>(items: Iterable<Item>): Item[] {
  // No name has a control character.
  const keyed = [...items].map((item) => ({ item, key: item.path.segments.join('\0') }));
  return keyed.toSorted((left, right) => compareNames(left.key, right.key)).map(({ item }) => item);
}

/** Tells, of paths that come in tree order, whether they lie below one that was named. */
export class Below {
  #top: VirtualPath | undefined;

  /** From now on what is in it lies below. */
  name(top: VirtualPath): void {
    this.#top = top;
  }

  /** The path that was named and that holds it. */
  topOf(path: VirtualPath): VirtualPath | undefined {
    return this.#top !== undefined && path.text.startsWith(`${this.#top.text}/`) ? this.#top : undefined;
  }
}
