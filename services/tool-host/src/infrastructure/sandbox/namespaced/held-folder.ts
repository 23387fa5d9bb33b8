import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A folder held by its descriptor. Node has no `openat`, but `/proc/self/fd/N/<name>` is the same: it starts at the open
 * folder, wherever that is by now, and one name leaves nothing to be swapped on the way.
 */
export class HeldFolder implements AsyncDisposable {
  readonly location: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
    this.location = `/proc/self/fd/${handle.fd}`;
  }

  /** Throws a system error, also when it is a link. */
  static async open(path: string): Promise<HeldFolder> {
    return new HeldFolder(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** Where system calls find an entry. */
  locate(name: string): string {
    return `${this.location}/${name}`;
  }

  /** A folder in this one. Throws a system error: ENOTDIR or ELOOP for a link. */
  enter(name: string): Promise<HeldFolder> {
    return HeldFolder.open(this.locate(name));
  }

  /** A folder below this one, entered name by name. */
  async descend(names: readonly string[]): Promise<HeldFolder> {
    let folder = await HeldFolder.open(`${this.location}/.`);
    for (const name of names) {
      const outer = folder;
      try {
        folder = await outer.enter(name);
      } finally {
        await outer[Symbol.asyncDispose]();
      }
    }
    return folder;
  }

  /** Opens an entry for reading, without following it and without waiting for the other end of a pipe. */
  read(name: string): Promise<FileHandle> {
    return open(this.locate(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
