/** A compiled pattern for paths relative to the directory that is searched, such as `src/main.ts`. */
export interface GlobPattern {
  /** Leading segments that are the same in all matches: the search starts there. */
  readonly base: readonly string[];
  /** Segments of a match at most; Infinity with `**`. */
  readonly maxDepth: number;
  /** Takes time linear in the path. */
  matches(relativePath: string): boolean;
}

/**
 * Compiles `*`, `?`, `[…]`, `{a,b}` and `**` over whole segments; names that begin with a dot are names like others.
 * Throws PATTERN_INVALID.
 */
export type GlobCompiler = (pattern: string) => GlobPattern;
