import { fileTooLarge } from '../domain/disk/file-errors.ts';
import { maxStreamedBytes } from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { ReceivedUpload } from '../domain/upload/received-upload.ts';
import { type BegunUpload, pieceBytes, type Uploads } from './ports/uploads.ts';

/** Stores what a stream receives, in pieces of one size. Holds one piece. */
export class ReceivedParts {
  readonly #uploads: Uploads;
  readonly #path: VirtualPath;
  readonly #begun: BegunUpload;
  readonly #buffer = new Uint8Array(pieceBytes);
  /** Bytes of the buffer that are in use. */
  #held: number;
  /** Those of them that are stored. */
  #stored: number;
  /** Bytes before the buffer. */
  #done: number;

  constructor(uploads: Uploads, path: VirtualPath, begun: BegunUpload) {
    this.#uploads = uploads;
    this.#path = path;
    this.#begun = begun;
    this.#buffer.set(begun.tail);
    this.#held = begun.tail.length;
    this.#stored = this.#held;
    this.#done = begun.size - this.#held;
  }

  /** What is received so far. */
  get upload(): ReceivedUpload {
    const { viewId, uploadId, stream } = this.#begun;
    return { viewId, uploadId, stream, size: this.#done + this.#held };
  }

  /** Throws FILE_TOO_LARGE over 32 MiB, or UPLOAD_INCOMPLETE when another stream has gone on with the upload. */
  async add(chunk: Uint8Array): Promise<void> {
    if (this.upload.size + chunk.length > maxStreamedBytes) {
      throw fileTooLarge(this.#path, maxStreamedBytes);
    }
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + pieceBytes - this.#held);
      this.#buffer.set(part, this.#held);
      this.#held += part.length;
      taken += part.length;
      if (this.#held === pieceBytes) {
        await this.flush();
        this.#done += pieceBytes;
        this.#held = 0;
        this.#stored = 0;
      }
    }
  }

  /** Stores what is held. Throws UPLOAD_INCOMPLETE as `add` does. */
  async flush(): Promise<void> {
    if (this.#held === this.#stored) {
      return;
    }
    const position = this.#done / pieceBytes;
    const data = this.#buffer.slice(0, this.#held);
    await this.#uploads.put(this.upload, { position, data, isLonger: this.#stored > 0 });
    this.#stored = this.#held;
  }
}
