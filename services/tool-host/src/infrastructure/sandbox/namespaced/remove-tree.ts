import type { PathLike } from 'node:fs';
import { chmod, rename, rmdir, unlink } from 'node:fs/promises';
import { errorCodeOf } from './error-code.ts';
import { rawEntries } from './raw-entries.ts';

/**
 * Removes a folder that a command has filled, once nothing of the command runs. Folders in it are first moved next to it: a
 * tree that is deeper than any path can be is then removed with short paths and without recursion. Links are removed
 * themselves. Fine when it is not there.
 */
export async function removeTree(root: string): Promise<void> {
  let moved = 0;
  for (let rest = [root]; rest.length > 0; ) {
    const next: string[] = [];
    for (const folder of rest) {
      for (const child of await emptyFolder(folder)) {
        moved += 1;
        next.push(`${root}.${moved}`);
        await rename(child, `${root}.${moved}`);
      }
      await rmdir(folder).catch(unlessMissing);
    }
    rest = next;
  }
}

/** Removes everything but folders that are not empty; answers their paths. */
async function emptyFolder(folder: string): Promise<readonly PathLike[]> {
  const full: PathLike[] = [];
  // Whoever is not root has to be allowed to look into it.
  await chmod(folder, 0o700).catch(unlessMissing);
  const entries = await rawEntries(folder).catch(unlessMissing);
  for await (const entry of entries ?? []) {
    // Names need not be UTF-8.
    const path = Buffer.concat([Buffer.from(`${folder}/`), entry.name]);
    if (!entry.isDirectory()) {
      await unlink(path);
      continue;
    }
    try {
      await rmdir(path);
    } catch {
      // Moving a folder changes its own entry "..".
      await chmod(path, 0o700);
      full.push(path);
    }
  }
  return full;
}

function unlessMissing(error: unknown): undefined {
  if (errorCodeOf(error) !== 'ENOENT') {
    throw error;
  }
}
