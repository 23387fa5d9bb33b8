/**
 * About how many instructions a regular expression has once its counted repetitions are written out. Compiling would tell
 * it exactly, but takes half a second for `(…){1000}`. Of an expression that is malformed it answers anything.
 */
export function expandedSize(pattern: string): number {
  const open: { size: number; last: number }[] = [];
  let here = { size: 0, last: 0 };
  const add = (size: number) => {
    here.size += size;
    here.last = size;
  };
  for (const [token] of pattern.matchAll(/\\.|\[(?:\\.|[^\\\]])*\]?|\{\d+(?:,\d*)?\}|[\s\S]/gu)) {
    if (token === '(') {
      open.push(here);
      here = { size: 0, last: 0 };
    } else if (token === ')') {
      const { size } = here;
      here = open.pop() ?? { size: 0, last: 0 };
      add(size + 1);
    } else if (token.length > 2 && token.startsWith('{')) {
      const [least, most] = token.slice(1, -1).split(',').map(Number);
      // A group that is repeated often holds `last` instructions already.
      here.size += here.last * (Math.max(least ?? 0, most ?? 0, 1) - 1);
      here.last *= Math.max(least ?? 0, most ?? 0, 1);
    } else {
      add(1);
    }
  }
  return [here, ...open].reduce((sum, { size }) => sum + size, 0);
}
