import type { Clock, IdGenerator } from '@spanwise/kernel';
import type { Database } from '@spanwise/persistence';
import type { ZodType } from 'zod';
import type { FileStore } from '../../domain/disk/file-store.ts';
import type { BlobPlace } from '../blobs/blob-place.ts';

/** What a disk may use of the service that it is part of. */
export interface DiskHost {
  /** Name of the disk in the configuration. */
  readonly name: string;
  /** Folder of the configuration file: relative paths of settings start there. */
  readonly folder: string;
  readonly database: Database;
  /** Where content lies; default: all of it in the database. */
  readonly blobs?: BlobPlace | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'traceId'>;
  /** The value of a variable that the settings name in place of a secret; undefined when it is unset or empty. */
  readonly secret: (variable: string) => string | undefined;
}

/** A disk that is open; `[Symbol.asyncDispose]` lets go of what it holds. */
export interface OpenDisk extends FileStore, Partial<AsyncDisposable> {}

/** Opens a disk. Throws an `invalid` error when the settings name what is not there. */
export type DiskOpener = (host: DiskHost) => Promise<OpenDisk>;

/** A kind of disk that configurations can name. */
export interface DiskKind {
  readonly kind: string;
  /** True: its disks can be the one of a union that is written to. */
  readonly keepsMarks?: boolean;
  /** Checks the settings of a disk, `kind` included, and makes of them what opens it. */
  readonly settings: ZodType<DiskOpener>;
}
