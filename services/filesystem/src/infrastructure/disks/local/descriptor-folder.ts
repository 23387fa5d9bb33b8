import { constants, type FileHandle, lstat, open } from 'node:fs/promises';
import type { Folder, NoFolder } from './folder.ts';
import { codeOf } from './system-error.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/**
 * A folder held by its descriptor. Node has no `openat`, but on Linux `/proc/self/fd/N/<name>` is the same: it starts at
 * the open folder, wherever that is by now, and a single component leaves nothing to be swapped on the way.
 */
export class DescriptorFolder implements Folder {
  readonly location: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
    this.location = `/proc/self/fd/${handle.fd}`;
  }

  /** The folder at a path of the host, links in it followed: the operator's choice. Throws a system error. */
  static async openRoot(path: string): Promise<DescriptorFolder> {
    const folder = new DescriptorFolder(await open(path, O_RDONLY | O_DIRECTORY));
    // Without /proc every name would look missing.
    await lstat(`${folder.location}/.`);
    return folder;
  }

  locationOf(name: string): string {
    return `${this.location}/${name}`;
  }

  async enter(name: string): Promise<Folder | NoFolder> {
    try {
      return new DescriptorFolder(await open(this.locationOf(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    } catch (error) {
      switch (codeOf(error)) {
        case 'ENOENT':
          return 'missing';
        case 'ELOOP':
          return 'link';
        case 'ENOTDIR':
          return (await this.#isLink(name)) ? 'link' : 'other';
        default:
          throw error;
      }
    }
  }

  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  /** Only decides about the words of the refusal. */
  async #isLink(name: string): Promise<boolean> {
    const stats = await lstat(this.locationOf(name)).catch(() => undefined);
    return stats?.isSymbolicLink() === true;
  }
}
