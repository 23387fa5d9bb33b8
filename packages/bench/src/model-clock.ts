/** A delta of the benchmarks' model is four characters: milliseconds in base 36, which come around every 28 minutes. */
export const clockPeriodMs = 36 ** 4;

/** The time now, as such a delta. */
export function stamp(): string {
  return (Math.floor(performance.timeOrigin + performance.now()) % clockPeriodMs).toString(36).padStart(4, '0');
}
