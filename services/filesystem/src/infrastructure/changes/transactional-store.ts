import type { SqlExecutor } from '@spanwise/persistence';
import type { FileStore } from '../../domain/disk/file-store.ts';

/** A disk whose files are in the service's database: its changes can be one transaction with what else is kept there. */
export interface TransactionalStore extends FileStore {
  /** Runs `work` in one transaction, with the disk as it is within it; again when another writer came in between. */
  inTransaction<Result>(
    work: (tx: SqlExecutor, store: FileStore) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result>;
}

export function isTransactional(store: FileStore): store is TransactionalStore {
  return 'inTransaction' in store;
}
