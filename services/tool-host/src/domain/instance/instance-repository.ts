/** A process of tool-host, from its start to its end. */
export interface Instance {
  /** UUID; a new one at every start, and after a lease was lost. */
  readonly id: string;
  /** Base URL at which the other replicas reach it. */
  readonly address: string;
}

/**
 * The instances and their leases. Time is the database's own, for the clocks of processes differ. Every method may throw
 * DATABASE_UNAVAILABLE.
 */
export interface InstanceRepository {
  /** Registers an instance with a lease from now on; its id must be new. */
  register(instance: Instance, leaseMs: number): Promise<void>;
  /** Extends a lease. False when it had run out: it is never revived, for others may have judged its executions. */
  renew(id: string, leaseMs: number): Promise<boolean>;
  /** Its lease ends now. */
  remove(id: string): Promise<void>;
  /** Ends all leases: only for a process that is alone with its database, before it registers. */
  removeAll(): Promise<void>;
  /** Forgets instances whose lease ran out that long ago. */
  removeDead(olderThanMs: number): Promise<void>;
  /** Those whose lease runs. */
  alive(): Promise<readonly Instance[]>;
}
