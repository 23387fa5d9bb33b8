import type { SessionId } from '@spanwise/kernel';
import { type Database, firstRow, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import type { AuditEntry } from '../../domain/audit/audit-entry.ts';
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
import { auditValues, insertAudit } from './audit-mapping.ts';
import { begunValues, type ExecutionRow, settledValues, toExecution } from './execution-mapping.ts';
import { ledgerStatements } from './ledger-statements.ts';

/** The ledger on prepared SQL: tables `executions` and `fences`, judged by the leases in `instances`. */
export class SqlLedger implements Ledger {
  readonly #database: Database;
  readonly #sql: ReturnType<typeof ledgerStatements>;
  readonly #insertAudit: string;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = ledgerStatements(database);
    this.#insertAudit = insertAudit(database);
  }

  async assertOpen(sessionId: SessionId, epoch: number): Promise<void> {
    const row = await firstRow<{ epoch: number }>(this.#database, this.#sql.readFence, [sessionId]);
    if (row !== undefined && epoch < row.epoch) {
      throw fenced();
    }
  }

  begin(start: ExecutionStart): Promise<StartVerdict> {
    return this.#database.transaction(async (tx) => {
      await this.#holdFence(tx, start);
      for (;;) {
        const found = await this.#find(tx, start);
        const verdict = judgeStart(start, found);
        if (await this.#carryOut(tx, verdict, start, found)) {
          return verdict;
        }
        // Another attempt changed the row since it was read.
      }
    });
  }

  async settle(start: ExecutionStart, settlement: Settlement): Promise<boolean> {
    const { runId, callId, mark } = start;
    const { state } = settlement;
    const values = settledValues(settlement);
    const audit = auditOfSettlement(start, settlement);
    if (await this.#changeWith(audit, (sql) => sql.run(this.#sql.settle, [state, ...values, runId, callId, mark]))) {
      return true;
    }
    // The same settlement may have been committed and not answered.
    const found = await this.find(start);
    return found !== undefined && found.mark === mark && found.state === state;
  }

  async withdraw({ runId, callId, mark }: ExecutionStart): Promise<void> {
    const mine = [runId, callId, mark];
    await this.#database.transaction(async (tx) => {
      if ((await tx.run(this.#sql.withdrawFirst, mine)) === 0) {
        await tx.run(this.#sql.withdrawAgain, mine);
      }
    });
  }

  find(key: ExecutionKey): Promise<Execution | undefined> {
    return this.#find(this.#database, key);
  }

  async lose(execution: Execution): Promise<void> {
    const { runId, callId, mark } = execution;
    await this.#changeWith(auditOfLoss(execution), (sql) => sql.run(this.#sql.lose, [runId, callId, mark]));
  }

  async started(sessionId: SessionId): Promise<readonly Execution[]> {
    const rows = await this.#database.all<ExecutionRow>(this.#sql.started, [sessionId]);
    return rows.map(toExecution);
  }

  async raiseFence(sessionId: SessionId, fence: number): Promise<void> {
    await this.#database.run(this.#sql.raiseFence, [sessionId, fence]);
  }

  async deleteSession(sessionId: SessionId): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.run(this.#sql.raiseFence, [sessionId, deletedFence]);
      for (const execution of (await tx.all<ExecutionRow>(this.#sql.started, [sessionId])).map(toExecution)) {
        const { runId, callId, mark } = execution;
        if ((await tx.run(this.#sql.deleteStarted, [runId, callId, mark])) === 1) {
          await this.#audit(tx, auditOfLoss(execution));
        }
      }
      await tx.run(this.#sql.deleteSession, [sessionId]);
      await tx.run(this.#sql.deleteQuestions, [sessionId]);
    });
  }

  /** Changes one row and adds a line to the audit with it; false, and nothing is added, when there is no such row. */
  async #changeWith(audit: AuditEntry | undefined, change: (sql: SqlExecutor) => Promise<number>): Promise<boolean> {
    if (audit === undefined) {
      return (await change(this.#database)) === 1;
    }
    return this.#database.transaction(async (tx) => {
      const isChanged = (await change(tx)) === 1;
      if (isChanged) {
        await this.#audit(tx, audit);
      }
      return isChanged;
    });
  }

  async #audit(tx: SqlExecutor, audit: AuditEntry | undefined): Promise<void> {
    if (audit !== undefined) {
      await tx.run(this.#insertAudit, auditValues(audit));
    }
  }

  /** Adds the line of an attempt whose process was gone, once it was judged. */
  async #auditLoss(tx: SqlExecutor, start: ExecutionStart, found: Execution | undefined): Promise<true> {
    if (found?.state === 'STARTED' && !isOwnStart(start, found)) {
      await this.#audit(tx, auditOfLoss(found));
    }
    return true;
  }

  /** From here until the transaction ends the fence can not be raised, and no other attempt of the session begins. */
  async #holdFence(tx: SqlExecutor, { sessionId, epoch }: ExecutionStart): Promise<void> {
    if ((await tx.run(this.#sql.holdFence, [sessionId, epoch])) === 1) {
      return;
    }
    await tx.run(this.#sql.raiseFence, [sessionId, 0]);
    if ((await tx.run(this.#sql.holdFence, [sessionId, epoch])) === 0) {
      throw fenced();
    }
  }

  async #find(executor: SqlExecutor, { runId, callId }: ExecutionKey): Promise<Execution | undefined> {
    const row = await firstRow<ExecutionRow>(executor, this.#sql.find, [runId, callId]);
    return row === undefined ? undefined : toExecution(row);
  }

  /** False when the row is not as it was found. */
  async #carryOut(
    tx: SqlExecutor,
    verdict: StartVerdict,
    start: ExecutionStart,
    found: Execution | undefined,
  ): Promise<boolean> {
    if (verdict.type === 'begin') {
      return (await this.#begin(tx, start, found)) && this.#auditLoss(tx, start, found);
    }
    const state = { running: undefined, ended: undefined, suspended: 'SUSPENDED', unknown: 'UNKNOWN' }[verdict.type];
    if (found === undefined || state === undefined || state === found.state) {
      return true;
    }
    const { runId, callId, mark } = found;
    const isJudged = (await tx.run(this.#sql.judge, [state, runId, callId, mark, found.state])) === 1;
    return isJudged && this.#auditLoss(tx, start, found);
  }

  async #begin(tx: SqlExecutor, start: ExecutionStart, found: Execution | undefined): Promise<boolean> {
    const { instanceId } = start;
    if (found !== undefined && isOwnStart(start, found)) {
      return true;
    }
    if ((await firstRow(tx, this.#sql.isLeased, [instanceId])) === undefined) {
      throw leaseLost();
    }
    if (!(await this.#write(tx, start, found))) {
      return false;
    }
    await this.#audit(tx, start.asks && auditOfAsking(start));
    return true;
  }

  async #write(tx: SqlExecutor, start: ExecutionStart, found: Execution | undefined): Promise<boolean> {
    const { runId, callId, sessionId, instanceId, mark, epoch, tool, effect, argsHash } = start;
    const begun = begunValues(start);
    if (found !== undefined) {
      const guard = [runId, callId, found.mark, found.state];
      return (await tx.run(this.#sql.beginAgain, [instanceId, mark, epoch, ...begun, ...guard])) === 1;
    }
    try {
      await tx.run(this.#sql.insert, [
        ...[runId, callId, sessionId, instanceId, mark, epoch],
        ...[tool, effect, argsHash, ...begun],
      ]);
      return true;
    } catch (error) {
      // The fence is held for one session: another one of the same call is a bug, and must be told so.
      if (isUniqueViolation(error)) {
        return false;
      }
      throw error;
    }
  }
}
