import { FileError } from '../domain/disk/file-errors.ts';
import type { WriteGuard, WriteOutcome } from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { nodeWith } from './file-content.ts';
import type { MountedDisk } from './mounted-disk.ts';

export interface WriteOnceRequest extends WriteGuard {
  readonly data: Uint8Array;
  /** True: the same write may have been made before, by who died before it could tell. */
  readonly mayBeRepeated: boolean;
}

/**
 * Writes a file. A write that may be repeated and breaks its guard on what it has written itself is one that was made.
 * Throws as {@link MountedDisk.write} does.
 */
export async function writeOnce(
  disk: MountedDisk,
  path: VirtualPath,
  request: WriteOnceRequest,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  try {
    return await disk.write(path, request.data, request, signal);
  } catch (error) {
    const mayBeOwn = request.mayBeRepeated && isGuardBroken(error);
    const node = mayBeOwn ? await nodeWith(disk, path, request.data, signal) : undefined;
    if (node === undefined) {
      throw error;
    }
    return { node, isCreated: request.createOnly === true };
  }
}

export function isGuardBroken(error: unknown): boolean {
  return error instanceof FileError && (error.reason === 'FILE_EXISTS' || error.reason === 'ETAG_MISMATCH');
}
