/** Repeats the first value until their number is a power of two, so that few statements have to be prepared. */
export function paddedToPowerOfTwo(values: readonly string[]): string[] {
  const length = 2 ** Math.ceil(Math.log2(Math.max(values.length, 1)));
  return [...values, ...Array.from({ length: length - values.length }, () => values[0] ?? '')];
}
