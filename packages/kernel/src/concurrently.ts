/**
 * Does `work` for each item, a few at once, and keeps their order. When one fails no further begins, those that have begun
 * are waited for (what they work in may be closed afterwards), and its error is thrown.
 */
export async function concurrently<Item, Result>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const failures: unknown[] = [];
  const rest = items[Symbol.iterator]();
  let begun = 0;
  const worker = async () => {
    for (let next = rest.next(); next.done !== true && failures.length === 0; next = rest.next()) {
      const index = begun;
      begun += 1;
      try {
        results[index] = await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) {
    throw failures[0];
  }
  return results;
}
