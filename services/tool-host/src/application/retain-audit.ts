import type { AuditLog } from '../domain/audit/audit-log.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Lines that one transaction deletes. */
const batch = 1000;

/** Deletes the lines of the audit that are older than so many days. Answers how many. Throws DATABASE_UNAVAILABLE. */
export async function retainAudit(audit: Pick<AuditLog, 'removeOlder'>, days: number): Promise<number> {
  let removed = 0;
  for (let gone = batch; gone >= batch; ) {
    gone = await audit.removeOlder(days * dayMs, batch);
    removed += gone;
  }
  return removed;
}
