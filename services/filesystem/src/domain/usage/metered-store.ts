import type { Uid } from '@spanwise/kernel';
import type { FileStore } from '../disk/file-store.ts';
import type { Quota, Usage } from './usage.ts';

/** A disk that counts what each user has on it. Methods throw DATABASE_UNAVAILABLE. */
export interface MeteredStore extends FileStore {
  /** What each user may have. */
  readonly quota: Quota;

  /** What a user has: nothing before the first file. */
  usageOf(uid: Uid): Promise<Usage>;
}

export function isMetered(store: FileStore): store is MeteredStore {
  return 'usageOf' in store;
}

/** The quotas of those disks that count, by their names. */
export function quotasOf(disks: ReadonlyMap<string, FileStore>): ReadonlyMap<string, Quota> {
  return new Map([...disks].flatMap(([name, store]) => (isMetered(store) ? [[name, store.quota]] : [])));
}
