import type { SessionId } from '@spanwise/kernel';

/** A process of the session service, from its start to its end. */
export interface Instance {
  /** UUID; a new one at every start, and after a lease was lost. */
  readonly id: string;
  /** Base URL at which the other replicas reach it. */
  readonly address: string;
}

/** How far a session's log is, and who drives it. */
export interface WatchedSession {
  readonly sessionId: SessionId;
  readonly lastSeq: number;
  /** The instance whose lease runs and that owns the active run; undefined when nobody does. */
  readonly owner: Instance | undefined;
}

/** The instances that are alive. Time is the database's own, for the clocks of processes differ. */
export interface InstanceRepository {
  /** Registers an instance with a lease from now on. */
  register(instance: Instance, leaseMs: number): Promise<void>;
  /** Extends a lease. False when it had run out: it is never revived, others may have taken its runs. */
  renew(id: string, leaseMs: number): Promise<boolean>;
  /** It takes no runs any more; others see it. */
  drain(id: string): Promise<void>;
  /** Its lease ends now. */
  remove(id: string): Promise<void>;
  /** Ends all leases but one: only for a process that is alone with its database. */
  removeOthers(id: string): Promise<void>;
  /** Forgets instances whose lease ended longer ago. */
  removeDead(olderThanMs: number): Promise<void>;
  /** Those whose lease runs and that are not draining. */
  alive(): Promise<readonly Instance[]>;
  find(id: string): Promise<Instance | undefined>;
  /** Sessions that do not exist, and deleted ones that have no active run any more, are left out. */
  watched(sessionIds: readonly SessionId[]): Promise<readonly WatchedSession[]>;
}
