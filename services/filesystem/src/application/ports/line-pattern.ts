/** A compiled regular expression. */
export interface LinePattern {
  /** Whether a line has a match; undefined when finding out would hold up everybody else. */
  test(line: string): boolean | undefined;
}

export interface LinePatternOptions {
  /** Letters match either case. */
  readonly ignoreCase: boolean;
}

/** Compiles RE2 syntax. Throws PATTERN_INVALID, also when the expression is too large. */
export type LinePatternCompiler = (pattern: string, options: LinePatternOptions) => LinePattern;
