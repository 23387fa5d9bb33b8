import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Folder, NoFolder } from './folder.ts';
import { codeOf } from './system-error.ts';

/**
 * A folder held by its real path, for systems without `/proc/self/fd`. Each step is checked not to be a link, and the real
 * path to be the expected one. Between a check and its use others could put a link there: only fit for folders in which
 * nobody but this process makes links, which is what `trusted: true` states.
 */
export class CheckedFolder implements Folder {
  readonly location: string;

  private constructor(location: string) {
    this.location = location;
  }

  /** The folder at a path of the host, links in it followed: the operator's choice. Throws a system error. */
  static async openRoot(path: string): Promise<CheckedFolder> {
    return new CheckedFolder(await realpath(path));
  }

  locationOf(name: string): string {
    return join(this.location, name);
  }

  async enter(name: string): Promise<Folder | NoFolder> {
    const location = this.locationOf(name);
    try {
      const stats = await lstat(location);
      if (stats.isSymbolicLink() || (await realpath(location)) !== location) {
        return 'link';
      }
      return stats.isDirectory() ? new CheckedFolder(location) : 'other';
    } catch (error) {
      if (codeOf(error) === 'ENOENT') {
        return 'missing';
      }
      throw error;
    }
  }

  async sync(): Promise<void> {
    // A rename is in the journal of the file systems that these systems have.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Holds nothing.
  }
}
