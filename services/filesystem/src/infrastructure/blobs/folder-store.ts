import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@spanwise/kernel';
import type { ByteRange } from '../../domain/disk/file-store.ts';
import { codeOf } from '../disks/local/system-error.ts';
import { blobStoreUnavailable } from './blob-errors.ts';
import { isBlobKey, type OutgoingContent, type OutsideStore } from './outside-store.ts';

/** Blobs as files of a folder that all replicas share, in 65,536 folders: `ab/cd/abcd…`. */
export class FolderStore implements OutsideStore {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Throws INVALID_FIELD when it is no folder: one that is made anew would have none of the old blobs. */
  static async open(root: string): Promise<FolderStore> {
    const found = await stat(root).catch(() => undefined);
    if (found?.isDirectory() !== true) {
      throw new DomainError('invalid', 'INVALID_FIELD', `the folder ${root} can not be opened`);
    }
    return new FolderStore(root);
  }

  put(key: string, content: OutgoingContent, signal: AbortSignal): Promise<void> {
    return orUnavailable(async () => {
      const { folder, file, temporary } = await this.#makeFolders(key);
      try {
        await writeThrough(temporary, content, signal);
        await rename(temporary, file);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
      await syncFolder(folder);
    });
  }

  read(key: string, { offset, length }: ByteRange, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return orUnavailable(async () => {
      signal.throwIfAborted();
      const handle = await open(this.#at(key).file, 'r').catch(unlessMissing);
      if (handle === undefined) {
        return undefined;
      }
      await using _open = handle;
      return readExactly(handle, offset, length);
    });
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return orUnavailable(async () => {
      signal.throwIfAborted();
      const { file, temporary } = this.#at(key);
      // Where the folder itself is gone nothing can be removed from it.
      await stat(this.#root);
      await unlink(temporary).catch(unlessMissing);
      await unlink(file).catch(unlessMissing);
    });
  }

  async #makeFolders(key: string) {
    const at = this.#at(key);
    for (const [parent, folder] of [
      [this.#root, at.outer],
      [at.outer, at.folder],
    ] as const) {
      await mkdir(folder).catch((error: unknown) => {
        if (codeOf(error) !== 'EEXIST') {
          throw error;
        }
      });
      // Also where another one has made it, who may not have come to this yet.
      await syncFolder(parent);
    }
    return at;
  }

  #at(key: string) {
    if (!isBlobKey(key)) {
      throw blobStoreUnavailable('not a key');
    }
    const outer = join(this.#root, key.slice(0, 2));
    const folder = join(outer, key.slice(2, 4));
    const file = join(folder, key);
    return { outer, folder, file, temporary: `${file}.tmp` };
  }
}

/** Writes a new file down to the disk, a piece at a time. */
async function writeThrough(path: string, { size, pieces }: OutgoingContent, signal: AbortSignal): Promise<void> {
  await using handle = await open(path, 'wx', 0o644);
  let written = 0;
  for await (const piece of pieces) {
    signal.throwIfAborted();
    await handle.writeFile(piece);
    written += piece.length;
  }
  if (written !== size) {
    throw blobStoreUnavailable(`${written} bytes in place of ${size}`);
  }
  await handle.sync();
}

async function readExactly(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const data = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(data, done, length - done, offset + done);
    if (bytesRead === 0) {
      throw blobStoreUnavailable('a file is too short');
    }
    done += bytesRead;
  }
  return data;
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

function unlessMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') {
    throw error;
  }
}

/** What the system reports names paths: only the log gets it. */
async function orUnavailable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw codeOf(error) === undefined ? error : blobStoreUnavailable(error);
  }
}
