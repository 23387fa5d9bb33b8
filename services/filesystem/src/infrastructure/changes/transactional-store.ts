import type { SqlExecutor } from '@spanwise/persistence';
import type { FileStore } from '../../domain/disk/file-store.ts';

/** A change of files together with what else is kept of it. */
export interface Transaction<Answer, Result> {
  /** First in the transaction: throws when nothing may be changed, answers when nothing needs to be. */
  before(tx: SqlExecutor): Promise<Result | undefined>;
  /** Makes one change on the store that it is given. It may be started again. */
  effect(store: FileStore): Promise<Answer>;
  /** Last in the transaction. */
  after(tx: SqlExecutor, answer: Answer): Promise<Result>;
}

/** A store whose files are in the service's database: its changes can be one transaction with what else is kept there. */
export interface TransactionalStore extends FileStore {
  /** All of it happens or nothing does; again when another writer came in between. */
  transact<Answer, Result>(transaction: Transaction<Answer, Result>, signal: AbortSignal): Promise<Result>;
}

export function isTransactional(store: FileStore): store is TransactionalStore {
  return 'transact' in store;
}
