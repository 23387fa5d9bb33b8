import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { maxStreamedBytes } from '../../../domain/disk/file-store.ts';
import { identityOf, isSettled } from './inode-identity.ts';
import type { RegularFile } from './leaf.ts';

/** Files whose hash is remembered. */
const maxRemembered = 10_000;
const blockBytes = 256 * 1024;

/**
 * Etags of files on the host: the SHA-256 of the content, remembered for as long as inode, size and times stay the same.
 * A file over the size limit is never written here, so that its inode, size and times are validator enough.
 */
export class FileEtags {
  readonly #remembered = new Map<string, string>();

  async of({ handle, stats }: RegularFile, signal: AbortSignal): Promise<string> {
    const identity = identityOf(stats);
    if (stats.size > maxStreamedBytes) {
      return `large-${createHash('sha256').update(identity).digest('hex')}`;
    }
    const known = this.#remembered.get(identity);
    if (known !== undefined) {
      return known;
    }
    const etag = await hashOf(handle, signal);
    if (isSettled(stats)) {
      this.#remember(identity, etag);
    }
    return etag;
  }

  #remember(identity: string, etag: string): void {
    this.#remembered.set(identity, etag);
    if (this.#remembered.size > maxRemembered) {
      // A map keeps the order in which it was filled.
      const [oldest] = this.#remembered.keys();
      this.#remembered.delete(oldest ?? '');
    }
  }
}

async function hashOf(handle: FileHandle, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(blockBytes);
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(block, 0, blockBytes, position);
    if (bytesRead === 0) {
      return hash.digest('hex');
    }
    hash.update(block.subarray(0, bytesRead));
    position += bytesRead;
  }
}
