import type { SessionId } from '@spanwise/kernel';
import { type Database, firstRow, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
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
import { type ExecutionRow, settledValues, toExecution } from './execution-mapping.ts';
import { ledgerStatements } from './ledger-statements.ts';

/** The ledger on prepared SQL: tables `executions` and `fences`, judged by the leases in `instances`. */
export class SqlLedger implements Ledger {
  readonly #database: Database;
  readonly #sql: ReturnType<typeof ledgerStatements>;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = ledgerStatements(database);
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
    if ((await this.#database.run(this.#sql.settle, [state, ...values, runId, callId, mark])) === 1) {
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

  async lose({ runId, callId, mark }: Execution): Promise<void> {
    await this.#database.run(this.#sql.lose, [runId, callId, mark]);
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
      await tx.run(this.#sql.deleteSession, [sessionId]);
    });
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
      return this.#begin(tx, start, found);
    }
    const state = { running: undefined, ended: undefined, suspended: 'SUSPENDED', unknown: 'UNKNOWN' }[verdict.type];
    if (found === undefined || state === undefined || state === found.state) {
      return true;
    }
    const { runId, callId, mark } = found;
    return (await tx.run(this.#sql.judge, [state, runId, callId, mark, found.state])) === 1;
  }

  async #begin(tx: SqlExecutor, start: ExecutionStart, found: Execution | undefined): Promise<boolean> {
    const { runId, callId, sessionId, instanceId, mark, epoch, tool, effect, argsHash } = start;
    if (found !== undefined && isOwnStart(start, found)) {
      return true;
    }
    if ((await firstRow(tx, this.#sql.isLeased, [instanceId])) === undefined) {
      throw leaseLost();
    }
    if (found !== undefined) {
      const guard = [runId, callId, found.mark, found.state];
      return (await tx.run(this.#sql.beginAgain, [instanceId, mark, epoch, ...guard])) === 1;
    }
    try {
      await tx.run(this.#sql.insert, [
        ...[runId, callId, sessionId, instanceId, mark, epoch],
        ...[tool, effect, argsHash],
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
