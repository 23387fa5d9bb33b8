import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { compareNames } from '../../../domain/path/name-order.ts';
import { isSegment } from '../../../domain/path/virtual-path.ts';
import type { Folder } from './folder.ts';
import { isTemporaryName } from './temporary-file.ts';

export interface NamesPage {
  readonly names: readonly string[];
  /** True when there are names after these. */
  readonly hasMore: boolean;
}

/**
 * The first names after `after` in byte order, of files and directories that a path leads to. Reads the whole folder but
 * holds no more than two pages of it.
 */
export async function listNames(folder: Folder, after: string, limit: number, signal: AbortSignal): Promise<NamesPage> {
  let names: string[] = [];
  let hasMore = false;
  const trim = () => {
    hasMore ||= names.length > limit;
    names = names.toSorted(compareNames).slice(0, limit);
  };
  for await (const entry of await opendir(folder.location, { bufferSize: 256 })) {
    if (isWanted(entry, after)) {
      names.push(entry.name);
      if (names.length === 2 * limit + 256) {
        signal.throwIfAborted();
        trim();
      }
    }
  }
  trim();
  return { names, hasMore };
}

function isWanted(entry: Dirent, after: string): boolean {
  const isOther =
    entry.isSymbolicLink() || entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice();
  return (
    !isOther &&
    isSegment(entry.name) &&
    !isTemporaryName(entry.name) &&
    (after === '' || compareNames(entry.name, after) > 0)
  );
}
