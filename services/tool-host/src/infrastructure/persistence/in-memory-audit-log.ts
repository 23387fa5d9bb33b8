import type { Clock } from '@spanwise/kernel';
import type { AuditEntry } from '../../domain/audit/audit-entry.ts';
import type { AuditLog } from '../../domain/audit/audit-log.ts';

/** A line, and when it was added. */
interface AuditLine {
  readonly timeMs: number;
  readonly entry: AuditEntry;
}

/** The audit in memory, for tests. */
export class InMemoryAuditLog implements AuditLog {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #lines: readonly AuditLine[] = [];

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** All of them, in the order in which they were added. */
  get entries(): readonly AuditEntry[] {
    return this.#lines.map(({ entry }) => entry);
  }

  async add(entry: AuditEntry): Promise<void> {
    this.#lines = [...this.#lines, { timeMs: this.#clock.nowMs(), entry }];
  }

  async removeOlder(ageMs: number, limit: number): Promise<number> {
    const old = this.#lines.filter(({ timeMs }) => timeMs < this.#clock.nowMs() - ageMs).slice(0, limit);
    this.#lines = this.#lines.filter((line) => !old.includes(line));
    return old.length;
  }
}
