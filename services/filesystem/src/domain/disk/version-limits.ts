/** How much of what is replaced a disk keeps. What a run that goes on has found is kept in any case. */
export interface VersionLimits {
  /** Earlier versions of a file; 0 = none. */
  readonly keep: number;
  /** Days since a version was replaced. */
  readonly days: number;
}

export const defaultVersionLimits: VersionLimits = { keep: 20, days: 30 };
