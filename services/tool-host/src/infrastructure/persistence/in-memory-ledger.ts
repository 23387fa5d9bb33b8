import type { SessionId } from '@spanwise/kernel';
import type { AuditEntry } from '../../domain/audit/audit-entry.ts';
import type { AuditLog } from '../../domain/audit/audit-log.ts';
import { auditOfAsking, auditOfLoss, auditOfSettlement } from '../../domain/execution/audit-of-execution.ts';
import {
  type Execution,
  type ExecutionKey,
  type ExecutionStart,
  isOwnStart,
  judgeStart,
  type Settlement,
  type StartVerdict,
} from '../../domain/execution/execution.ts';
import { fenced, leaseLost } from '../../domain/execution/execution-errors.ts';
import { deletedFence, type Ledger } from '../../domain/execution/ledger.ts';
import type { InMemoryInstanceRepository } from './in-memory-instance-repository.ts';

type Entry = Omit<Execution, 'isAlive'> & { readonly attempt: number };

/** The ledger in memory, for tests; nothing survives the process. */
export class InMemoryLedger implements Ledger {
  readonly #instances: Pick<InMemoryInstanceRepository, 'isAlive'>;
  readonly #entries = new Map<string, Entry>();
  readonly #fences = new Map<SessionId, number>();

  readonly #auditLog: AuditLog;

  constructor(instances: Pick<InMemoryInstanceRepository, 'isAlive'>, auditLog: AuditLog) {
    this.#instances = instances;
    this.#auditLog = auditLog;
  }

  async assertOpen(sessionId: SessionId, epoch: number): Promise<void> {
    if (epoch < (this.#fences.get(sessionId) ?? 0)) {
      throw fenced();
    }
  }

  async begin(start: ExecutionStart): Promise<StartVerdict> {
    if (start.epoch < (this.#fences.get(start.sessionId) ?? 0)) {
      throw fenced();
    }
    const found = this.#execution(start);
    const verdict = judgeStart(start, found);
    if (verdict.type === 'begin' && (found === undefined || !isOwnStart(start, found))) {
      this.#begin(start);
      await this.#audit(start.asks && auditOfAsking(start));
    } else if (verdict.type === 'suspended') {
      this.#change(start, { state: 'SUSPENDED' });
    } else if (verdict.type === 'unknown') {
      this.#change(start, { state: 'UNKNOWN' });
    }
    if (found?.state === 'STARTED' && verdict.type !== 'running' && !isOwnStart(start, found)) {
      await this.#audit(auditOfLoss(found));
    }
    return verdict;
  }

  async settle(start: ExecutionStart, settlement: Settlement): Promise<boolean> {
    const entry = this.#entries.get(keyOf(start));
    if (entry?.mark !== start.mark || entry.state !== 'STARTED') {
      return entry?.mark === start.mark && entry.state === settlement.state;
    }
    const interrupt = settlement.state === 'SUSPENDED' ? settlement.interrupt : entry.interrupt;
    const end = settlement.state === 'SUSPENDED' ? undefined : settlement.end;
    this.#change(start, { state: settlement.state, interrupt, end });
    await this.#audit(auditOfSettlement(start, settlement));
    return true;
  }

  async withdraw(start: ExecutionStart): Promise<void> {
    const entry = this.#entries.get(keyOf(start));
    if (entry?.mark !== start.mark || entry.state !== 'STARTED') {
      return;
    }
    if (entry.attempt === 1) {
      this.#entries.delete(keyOf(start));
    } else {
      this.#change(start, { state: entry.interrupt === undefined ? 'UNKNOWN' : 'SUSPENDED' });
    }
  }

  async find(key: ExecutionKey): Promise<Execution | undefined> {
    return this.#execution(key);
  }

  async lose({ mark, ...key }: Execution): Promise<void> {
    const found = this.#execution(key);
    if (found?.mark === mark && found.state === 'STARTED' && !found.isAlive) {
      this.#change(key, { state: 'UNKNOWN' });
      await this.#audit(auditOfLoss(found));
    }
  }

  async started(sessionId: SessionId): Promise<readonly Execution[]> {
    return [...this.#entries.values()]
      .filter((entry) => entry.sessionId === sessionId && entry.state === 'STARTED')
      .sort((a, b) => (a.callId < b.callId ? -1 : 1))
      .flatMap((entry) => this.#execution(entry) ?? []);
  }

  async raiseFence(sessionId: SessionId, fence: number): Promise<void> {
    this.#fences.set(sessionId, Math.max(fence, this.#fences.get(sessionId) ?? 0));
  }

  async deleteSession(sessionId: SessionId): Promise<void> {
    this.#fences.set(sessionId, deletedFence);
    for (const execution of await this.started(sessionId)) {
      await this.#audit(auditOfLoss(execution));
    }
    for (const [key, entry] of this.#entries) {
      if (entry.sessionId === sessionId) {
        this.#entries.delete(key);
      }
    }
  }

  async #audit(entry: AuditEntry | undefined): Promise<void> {
    if (entry !== undefined) {
      await this.#auditLog.add(entry);
    }
  }

  #begin(start: ExecutionStart): void {
    const { runId, callId, sessionId, instanceId, mark, epoch, tool, effect, argsHash, audit } = start;
    if (!this.#instances.isAlive(instanceId)) {
      throw leaseLost();
    }
    const found = this.#entries.get(keyOf(start));
    const interrupt = start.asks ?? found?.interrupt;
    const approval = start.approval ?? found?.approval;
    const attempt = { runId, callId, sessionId, instanceId, mark, epoch, tool, effect, argsHash, audit };
    const facts = { ...attempt, interrupt, approval };
    const state = start.asks === undefined ? 'STARTED' : 'SUSPENDED';
    this.#entries.set(keyOf(start), { ...facts, state, end: undefined, attempt: (found?.attempt ?? 0) + 1 });
  }

  #change(key: ExecutionKey, change: Partial<Entry>): void {
    const entry = this.#entries.get(keyOf(key));
    if (entry !== undefined) {
      this.#entries.set(keyOf(key), { ...entry, ...change });
    }
  }

  #execution(key: ExecutionKey): Execution | undefined {
    const entry = this.#entries.get(keyOf(key));
    if (entry === undefined) {
      return undefined;
    }
    const { attempt: _, ...execution } = entry;
    return { ...execution, isAlive: this.#instances.isAlive(entry.instanceId) };
  }
}

function keyOf({ runId, callId }: ExecutionKey): string {
  return `${runId}:${callId}`;
}
