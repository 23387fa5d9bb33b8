import type { PageScope, PageTokens } from './ports/page-tokens.ts';
import { sizeGroups } from './size-groups.ts';

/** Which page of a list is asked for. */
export interface PageRequest {
  /** 0 = the default of 50; capped at 200. */
  readonly size: number;
  /** Empty = the first page. */
  readonly token: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty on the last page. */
  readonly nextToken: string;
}

type Cursor = readonly (string | number)[];

const defaultSize = 50;
const maxSize = 200;

/**
 * Reads one page: asks for one item more than it shows, to know whether there is a next one. A page of large items is
 * shorter than asked for, so that it fits into one message.
 */
export async function readPage<Item>(
  tokens: PageTokens,
  scope: PageScope,
  { size, token }: PageRequest,
  list: {
    /** Items after a cursor, in order. */
    read(after: Cursor | undefined, limit: number): Promise<readonly Item[]>;
    cursorOf(item: Item): Cursor;
    /** Default: items are small. */
    bytesOf?(item: Item): number;
  },
): Promise<Page<Item>> {
  const limit = Math.min(size === 0 ? defaultSize : size, maxSize);
  const after = token === '' ? undefined : tokens.read(scope, token);
  const found = await list.read(after, limit + 1);
  const [items = []] = sizeGroups(found.slice(0, limit), (item) => list.bytesOf?.(item) ?? 0);
  const last = items.at(-1);
  const hasNext = found.length > items.length && last !== undefined;
  return { items, nextToken: hasNext ? tokens.sign(scope, list.cursorOf(last)) : '' };
}
