import type { PageScope, PageTokens } from './ports/page-tokens.ts';

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

/** Reads one page: asks for one item more than it shows, to know whether there is a next one. */
export async function readPage<Item>(
  tokens: PageTokens,
  scope: PageScope,
  { size, token }: PageRequest,
  list: {
    /** Items after a cursor, in order. */
    read(after: Cursor | undefined, limit: number): Promise<readonly Item[]>;
    cursorOf(item: Item): Cursor;
  },
): Promise<Page<Item>> {
  const limit = Math.min(size === 0 ? defaultSize : size, maxSize);
  const after = token === '' ? undefined : tokens.read(scope, token);
  const found = await list.read(after, limit + 1);
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasNext = found.length > limit && last !== undefined;
  return { items, nextToken: hasNext ? tokens.sign(scope, list.cursorOf(last)) : '' };
}
