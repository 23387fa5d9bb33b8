import { type Database, firstRow } from '@spanwise/persistence';
import type { AuditEntry } from '../../domain/audit/audit-entry.ts';
import type { AuditLog } from '../../domain/audit/audit-log.ts';
import { auditValues, insertAudit } from './audit-mapping.ts';
import { databaseNow } from './database-now.ts';

/** The table `audit`. */
export class SqlAuditLog implements AuditLog {
  readonly #database: Database;
  readonly #insert: string;
  readonly #now: string;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = insertAudit(database);
    this.#now = databaseNow(database);
  }

  async add(entry: AuditEntry): Promise<void> {
    await this.#database.run(this.#insert, auditValues(entry));
  }

  async removeOlder(ageMs: number, limit: number): Promise<number> {
    const isOld = `time_ms < ${this.#now} - ?`;
    // The time up to which one batch goes: neither dialect deletes a number of rows in the same words.
    const whole = Math.max(0, Math.trunc(limit) - 1);
    const page = `select time_ms from audit where ${isOld} order by time_ms limit 1 offset ${whole}`;
    const last = await firstRow<{ time_ms: number }>(this.#database, page, [ageMs]);
    return last === undefined
      ? this.#database.run(`delete from audit where ${isOld}`, [ageMs])
      : this.#database.run('delete from audit where time_ms <= ?', [last.time_ms]);
  }
}
