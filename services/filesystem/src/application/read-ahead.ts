/** Something, and what was begun for it before its turn came; undefined when that was not worth it. */
export interface Ahead<Item, Result> {
  readonly item: Item;
  readonly begun: Promise<Result> | undefined;
}

/**
 * The items in their order, while `begin` is at work on some of those that follow: what waits for another machine then waits
 * for several at once. What `begin` fails with is told to whoever awaits it; when the iteration is left, what was begun
 * ends by itself.
 */
export async function* readAhead<Item, Result>(
  items: AsyncIterable<Item>,
  atOnce: number,
  begin: (item: Item) => Promise<Result> | undefined,
): AsyncGenerator<Ahead<Item, Result>> {
  const waiting: Ahead<Item, Result>[] = [];
  for await (const item of items) {
    const begun = begin(item);
    begun?.catch(() => undefined);
    waiting.push({ item, begun });
    if (waiting.length === atOnce) {
      yield* waiting.splice(0, 1);
    }
  }
  yield* waiting;
}
