import type { Uid } from '@spanwise/kernel';

/** The user for whom files are touched; goes along to the disk. */
export interface Caller {
  readonly uid: Uid;
  /** Empty when not known. */
  readonly email: string;
  /** The user's own token, for a remote disk that forwards it; empty when there is none. Never logged, never stored. */
  readonly token: string;
  /** Name of the service that calls; absent when it has not named itself. */
  readonly service?: string;
}
