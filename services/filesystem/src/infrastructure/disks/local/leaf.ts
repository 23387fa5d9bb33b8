import type { BigIntStats } from 'node:fs';
import { constants, type FileHandle, lstat, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
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
  | RegularFile
  | ({ readonly kind: 'directory'; readonly stats: BigIntStats } & AsyncDisposable)
  | ({ readonly kind: 'missing' | 'other' } & AsyncDisposable);

/** How often a name is opened again because it was given to another file meanwhile. */
const maxAttempts = 20;
/** Longer than the steps in which file systems count time, where they do not count finely. */
const clockStepMs = 20;

/**
 * Opens an entry without following it, and without waiting for the other end of a pipe, and only then looks what it is:
 * what was looked at is what is read.
 */
export async function openLeaf(folder: Folder, name: string): Promise<Leaf> {
  for (let attempt = 1; ; attempt += 1) {
    const handle = await open(folder.locationOf(name), O_RDONLY | O_NOFOLLOW | (O_NONBLOCK ?? 0)).catch(notOpened);
    if (typeof handle === 'string') {
      return { kind: handle, [Symbol.asyncDispose]: async () => undefined };
    }
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) {
        return stats.isDirectory() ? opened('directory', handle, stats) : opened('other', handle, stats);
      }
      const isSettled = !wasJustRelinked(stats) && (await hasName(folder, name, stats));
      if (isSettled || attempt === maxAttempts) {
        return opened(isSettled && isRegularFile(stats) ? 'file' : 'other', handle, stats);
      }
      await (wasJustRelinked(stats) ? delay(clockStepMs) : undefined);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
  }
}

function opened<Kind extends 'file' | 'directory' | 'other'>(kind: Kind, handle: FileHandle, stats: BigIntStats) {
  return { kind, handle, stats, [Symbol.asyncDispose]: () => handle.close() };
}

/**
 * Whether the name still leads to the open file, and has all the time. When it does not, a count of names says nothing:
 * one that lies elsewhere would pass as the only one while its name here is taken away. Looking up a name and counting are
 * two steps even for `lstat`; but whoever links or unlinks in between changes the time of the inode.
 */
async function hasName(folder: Folder, name: string, { dev, ino, nlink, ctimeNs }: BigIntStats): Promise<boolean> {
  const named = await lstat(folder.locationOf(name), { bigint: true }).catch(() => undefined);
  return named?.dev === dev && named.ino === ino && named.nlink === nlink && named.ctimeNs === ctimeNs;
}

/** True for an old file whose names changed a moment ago: they could change again without a new time. */
function wasJustRelinked({ ctimeMs, mtimeMs }: BigIntStats): boolean {
  return Date.now() - Number(ctimeMs) < clockStepMs && ctimeMs - mtimeMs > 1000n;
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
