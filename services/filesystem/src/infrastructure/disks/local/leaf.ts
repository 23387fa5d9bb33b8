import type { BigIntStats } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import type { Folder } from './folder.ts';
import { codeOf } from './system-error.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** A regular file with one name, open for reading. */
export interface RegularFile extends AsyncDisposable {
  readonly kind: 'file';
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/** What a name of a folder is. `other`: there, but neither a directory nor a regular file with one name. */
export type Leaf =
  | (RegularFile & AsyncDisposable)
  | ({ readonly kind: 'directory'; readonly stats: BigIntStats } & AsyncDisposable)
  | ({ readonly kind: 'missing' | 'other' } & AsyncDisposable);

/**
 * Opens an entry without following it, and without waiting for the other end of a pipe, and only then looks what it is:
 * what was looked at is what is read.
 */
export async function openLeaf(folder: Folder, name: string): Promise<Leaf> {
  const handle = await open(folder.locationOf(name), O_RDONLY | O_NOFOLLOW | (O_NONBLOCK ?? 0)).catch(notOpened);
  if (typeof handle === 'string') {
    return { kind: handle, [Symbol.asyncDispose]: async () => undefined };
  }
  const close = () => handle.close();
  try {
    const stats = await handle.stat({ bigint: true });
    if (isRegularFile(stats)) {
      return { kind: 'file', handle, stats, [Symbol.asyncDispose]: close };
    }
    return stats.isDirectory()
      ? { kind: 'directory', stats, [Symbol.asyncDispose]: close }
      : { kind: 'other', [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A file with several names could be one that lies elsewhere. */
export function isRegularFile(stats: BigIntStats): boolean {
  return stats.isFile() && stats.nlink === 1n;
}

function notOpened(error: unknown): 'missing' | 'other' {
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'missing';
    // A link, a socket, a device without a driver.
    case 'ELOOP':
    case 'EMLINK':
    case 'ENXIO':
    case 'ENODEV':
      return 'other';
    default:
      throw error;
  }
}
