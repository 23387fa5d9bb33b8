import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import {
  type Database,
  firstRow,
  insertRows,
  isUniqueViolation,
  type SqlExecutor,
  type SqlRow,
} from '@spanwise/persistence';
import type { Changes, Made } from '../../application/ports/changes.ts';
import { answerAgain, assertNotStopped, type Change } from '../../domain/change/change.ts';
import type { FileStore } from '../../domain/disk/file-store.ts';
import { ChangeGate } from './change-gate.ts';
import { holdFence, raiseFence, shareLock } from './session-fence.ts';
import { isTransactional, type Transaction, type TransactionalStore } from './transactional-store.ts';

export interface SqlChangesDeps {
  readonly database: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
}

interface StandingRow extends SqlRow {
  /** The fence of the session. */
  readonly epoch: number;
  readonly request_hash: string | null;
  readonly answer: string | null;
}

const fenceOnly = 'select epoch, null as request_hash, null as answer from fs_fences where session_id = ?';
const fenceAndKey = `select f.epoch, k.request_hash, k.answer from fs_fences f
  left join fs_keys k on k.view_id = ? and k.idempotency_key = ? where f.session_id = ?`;

/** Fences and keys in the tables `fs_fences` and `fs_keys`. */
export class SqlChanges implements Changes {
  readonly #database: Database;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #gate = new ChangeGate();

  constructor({ database, clock }: SqlChangesDeps) {
    this.#database = database;
    this.#clock = clock;
  }

  async find<Answer extends object>(change: Change): Promise<Answer | undefined> {
    return standing<Answer>(change, await readStanding(this.#database, change));
  }

  async make<Answer extends object>(
    change: Change,
    store: FileStore,
    effect: (store: FileStore) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Made<Answer>> {
    if (!isTransactional(store)) {
      return this.#gate.run(change, () => this.#makeThenKeep(change, () => effect(store)));
    }
    try {
      return await this.#makeInTransaction(change, store, effect, signal);
    } catch (error) {
      // The same request may have been answered meanwhile, or by a commit that this process was not told of.
      const kept = change.once && (await this.find<Answer>(change));
      if (kept === undefined) {
        throw error;
      }
      return { answer: kept, isRepeated: true };
    }
  }

  async fence(sessionId: SessionId, epoch: number, driver: number): Promise<void> {
    await raiseFence(this.#database, sessionId, epoch, driver);
    await this.#gate.stopped(sessionId, epoch);
  }

  async forget(viewIds: readonly RunId[]): Promise<void> {
    for (const viewId of viewIds) {
      await this.#database.run('delete from fs_keys where view_id = ?', [viewId]);
    }
  }

  #makeInTransaction<Answer extends object>(
    change: Change,
    store: TransactionalStore,
    effect: (store: FileStore) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Made<Answer>> {
    const lock = shareLock(this.#database.dialect);
    const transaction: Transaction<Answer, Made<Answer>> = {
      before: async (tx) => {
        const row = await holdFence(tx, change.sessionId, () => readStanding(tx, change, lock));
        const kept = standing<Answer>(change, row);
        return kept && { answer: kept, isRepeated: true };
      },
      effect,
      after: async (tx, answer) => {
        await this.#keep(tx, change, answer);
        return { answer, isRepeated: false };
      },
    };
    return store.transact(transaction, signal);
  }

  async #makeThenKeep<Answer extends object>(change: Change, effect: () => Promise<Answer>): Promise<Made<Answer>> {
    const kept = await this.find<Answer>(change);
    if (kept !== undefined) {
      return { answer: kept, isRepeated: true };
    }
    const answer = await effect();
    try {
      await this.#keep(this.#database, change, answer);
    } catch (error) {
      if (!isUniqueViolation(error)) {
        throw error;
      }
      // Another replica was asked at the same moment: both tell what is kept.
      return { answer: (await this.find<Answer>(change)) ?? answer, isRepeated: true };
    }
    return { answer, isRepeated: false };
  }

  async #keep(sql: SqlExecutor, { viewId, once }: Change, answer: object): Promise<void> {
    if (once !== undefined) {
      const row = [viewId, once.key, once.requestHash, JSON.stringify(answer), this.#clock.nowMs()];
      await insertRows(sql, 'fs_keys', keyColumns, [row]);
    }
  }
}

const keyColumns = ['view_id', 'idempotency_key', 'request_hash', 'answer', 'create_time_ms'] as const;

function readStanding(sql: SqlExecutor, change: Change, lock = ''): Promise<StandingRow | undefined> {
  const { viewId, sessionId, once } = change;
  return once === undefined
    ? firstRow<StandingRow>(sql, fenceOnly + lock, [sessionId])
    : firstRow<StandingRow>(sql, fenceAndKey + lock, [viewId, once.key, sessionId]);
}

/** The answer that a change has already. Throws when its session or its key refuses it. */
function standing<Answer extends object>(change: Change, row: StandingRow | undefined): Answer | undefined {
  assertNotStopped(change, row?.epoch ?? 0);
  const { request_hash: requestHash = null, answer = null } = row ?? {};
  const kept = requestHash === null || answer === null ? undefined : { requestHash, answer };
  return change.once && answerAgain<Answer>(change.once, kept);
}
