import type { AuditEntry } from './audit-entry.ts';

/**
 * Who had which tool called, and what came of it. Lines are added and, when they are old, deleted, but never changed; those of
 * a session outlast it. The ledger adds those of its calls by itself. Every method may throw DATABASE_UNAVAILABLE.
 */
export interface AuditLog {
  /** Adds a line of a call that the ledger does not have, in a transaction of its own. */
  add(entry: AuditEntry): Promise<void>;
  /** Deletes lines that are older, the oldest first, about `limit` of them. Answers how many. */
  removeOlder(ageMs: number, limit: number): Promise<number>;
}
