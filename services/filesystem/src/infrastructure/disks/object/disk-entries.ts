import type { DiskEntry } from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { forEachAtMost } from './at-most.ts';
import type { ObjectFiles } from './object-files.ts';
import type { ListedEntry } from './object-listing.ts';
import { directoryNode, fileNodeOf } from './stored-object.ts';

const statsAtOnce = 16;

/** An entry with what its listing has told. */
export function entryOf({ name, object }: ListedEntry): DiskEntry {
  return { name, node: object === undefined ? directoryNode : fileNodeOf(object) };
}

/** Listings do not tell hashes: each file is asked for. One that has gone meanwhile is left out. */
export async function entriesWithHashes(
  files: ObjectFiles,
  directory: VirtualPath,
  listed: readonly ListedEntry[],
  signal: AbortSignal,
): Promise<readonly DiskEntry[]> {
  const entries = new Map<string, DiskEntry>();
  await forEachAtMost(statsAtOnce, listed, async (entry) => {
    const path = entry.object && directory.entry(entry.name);
    const object = path && (await files.find(path, signal));
    if (object !== undefined || entry.object === undefined) {
      entries.set(entry.name, entryOf({ name: entry.name, object }));
    }
  });
  return listed.flatMap(({ name }) => entries.get(name) ?? []);
}
