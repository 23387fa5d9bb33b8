import { constants, open, unlink } from 'node:fs/promises';
import type { Folder } from './folder.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** Names of files and folders that are on their way in or out; no path leads to them. */
const temporaryName = /^\.spanwise-[0-9a-f]{32}\.tmp$/;

export function isTemporaryName(name: string): boolean {
  return temporaryName.test(name);
}

/** A temporary name; `id` is random, 32 hex digits, so that nobody can put a link there beforehand. */
export function temporaryNameOf(id: string): string {
  return `.spanwise-${id}.tmp`;
}

/** Writes a new file, down to the disk, and answers when that was. When it throws nothing is left. */
export async function writeTemporary(folder: Folder, name: string, data: Uint8Array): Promise<number> {
  const handle = await open(folder.locationOf(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    await handle.writeFile(data);
    await handle.sync();
    return Math.trunc((await handle.stat()).mtimeMs);
  } catch (error) {
    await discard(folder, name);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Removes a temporary file if it is still there. */
export async function discard(folder: Folder, name: string): Promise<void> {
  await unlink(folder.locationOf(name)).catch(() => undefined);
}
