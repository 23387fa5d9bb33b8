/** Does something with each of many, `count` at a time. What it has begun has ended when it throws the first failure. */
export async function forEachAtMost<Item>(
  count: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  let hasFailed = false;
  const worker = async () => {
    for (const item of left) {
      try {
        await work(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
      if (hasFailed) {
        return;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: count }, worker));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    throw failed.reason;
  }
}
