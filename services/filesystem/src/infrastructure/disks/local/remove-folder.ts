import { opendir, rmdir, unlink } from 'node:fs/promises';
import type { Folder } from './folder.ts';
import { codeOf } from './system-error.ts';

/** How often a folder is emptied again because something was put into it meanwhile. */
const maxPasses = 10;

/** Removes a folder with everything in it. Links, pipes and the like are removed themselves, never followed. */
export async function removeFolder(parent: Folder, name: string): Promise<void> {
  for (let pass = 1; ; pass += 1) {
    const folder = await parent.enter(name);
    if (typeof folder === 'string') {
      return folder === 'missing' ? undefined : remove(parent, name);
    }
    try {
      await using held = folder;
      for await (const entry of await opendir(held.location)) {
        await (entry.isDirectory() ? removeFolder(held, entry.name) : remove(held, entry.name));
      }
      return await rmdir(parent.locationOf(name));
    } catch (error) {
      if (codeOf(error) !== 'ENOTEMPTY' || pass === maxPasses) {
        throw error;
      }
    }
  }
}

async function remove(folder: Folder, name: string): Promise<void> {
  try {
    await unlink(folder.locationOf(name));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw error;
    }
  }
}
