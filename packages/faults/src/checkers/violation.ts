import type { Evidence } from '../evidence/evidence.ts';

/** What must always be true. I16 to I21 only as far as the suite can see it: each checker says how far. */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'I14'
  | 'I15'
  | 'I16'
  | 'I17'
  | 'I18'
  | 'I19'
  | 'I20'
  | 'I21';

/** An invariant that does not hold. */
export interface Violation {
  readonly invariant: Invariant;
  /** What is wrong, with the ids to find it by. */
  readonly what: string;
}

/** Looks at what happened and answers what should not have. */
export type Checker = (evidence: Evidence) => readonly Violation[];
