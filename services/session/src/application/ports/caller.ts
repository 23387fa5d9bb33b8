import type { Uid } from '@spanwise/kernel';

/** The user for whom a request is made. */
export interface Caller {
  readonly uid: Uid;
  /** Empty when not known. */
  readonly email: string;
  /** The user's own token, kept in memory only; empty when there is none. */
  readonly token: string;
}
