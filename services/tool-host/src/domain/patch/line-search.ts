/** Two lines that are the same. */
export type SameLine = (a: string, b: string) => boolean;

export const isExactly: SameLine = (a, b) => a === b;
/** But for blanks at their ends. */
export const isButForTrailing: SameLine = (a, b) => a.trimEnd() === b.trimEnd();

/**
 * Where `wanted`, which is not empty, begins in `lines`, at `from` or later, in order; places may overlap. In time that is
 * the sum of both lengths (Knuth, Morris and Pratt): neither a long file nor a long hunk makes it slow.
 */
export function placesOf(
  lines: readonly string[],
  wanted: readonly string[],
  from: number,
  isSame: SameLine,
): readonly number[] {
  const fallbacks = fallbacksOf(wanted, isSame);
  const places: number[] = [];
  let matched = 0;
  for (let index = from; index < lines.length; index += 1) {
    matched = advance(matched, lines[index] ?? '', wanted, fallbacks, isSame);
    if (matched === wanted.length) {
      places.push(index + 1 - wanted.length);
      matched = fallbacks[matched - 1] ?? 0;
    }
  }
  return places;
}

/** Of each beginning of `wanted` the length of its longest end that is a beginning as well. */
function fallbacksOf(wanted: readonly string[], isSame: SameLine): readonly number[] {
  const fallbacks = [0];
  for (let index = 1; index < wanted.length; index += 1) {
    fallbacks.push(advance(fallbacks[index - 1] ?? 0, wanted[index] ?? '', wanted, fallbacks, isSame));
  }
  return fallbacks;
}

function advance(
  matched: number,
  line: string,
  wanted: readonly string[],
  fallbacks: readonly number[],
  isSame: SameLine,
): number {
  let length = matched;
  while (length > 0 && !isSame(line, wanted[length] ?? '')) {
    length = fallbacks[length - 1] ?? 0;
  }
  return isSame(line, wanted[length] ?? '') ? length + 1 : 0;
}

/** The place that is most like `wanted`. */
export interface NearestPlace {
  /** Index of its first line. */
  readonly start: number;
  /** Index of the first line that differs, beyond the end where the file is too short. */
  readonly differsAt: number;
}

/** Comparisons of lines that are made at most to find what is only told in an error. */
const maxComparisons = 2_000_000;

/**
 * Where most lines are those of `wanted`, blanks at either end aside; undefined when none is. Of a file and a hunk that are
 * both long only the beginnings are compared.
 */
export function nearestPlace(lines: readonly string[], wanted: readonly string[]): NearestPlace | undefined {
  const have = lines.map((line) => line.trim());
  const want = wanted.slice(0, 200).map((line) => line.trim());
  const starts = Math.min(have.length, Math.floor(maxComparisons / Math.max(1, want.length)));
  let best = { score: 0, start: 0 };
  for (let start = 0; start < starts; start += 1) {
    const score = want.reduce((sum, line, index) => sum + (line !== '' && have[start + index] === line ? 1 : 0), 0);
    best = score > best.score ? { score, start } : best;
  }
  if (best.score === 0) {
    return undefined;
  }
  const { start } = best;
  const first = wanted.findIndex((line, index) => !isButForTrailing(line, lines[start + index] ?? '\0'));
  return { start, differsAt: start + Math.max(0, first) };
}
