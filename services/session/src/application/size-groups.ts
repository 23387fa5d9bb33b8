/** Content that one message on the wire carries at most, but for a single item that is larger: the limit is 4 MiB. */
const maxGroupBytes = 1024 * 1024;

/** Cuts what is to be sent into groups that fit into one message each, in order. Nothing makes no group. */
export function* sizeGroups<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): Generator<readonly Item[], void> {
  let from = 0;
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    const itemBytes = bytesOf(item);
    if (index > from && bytes + itemBytes > maxGroupBytes) {
      yield items.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += itemBytes;
  }
  if (items.length > 0) {
    yield from === 0 ? items : items.slice(from);
  }
}
