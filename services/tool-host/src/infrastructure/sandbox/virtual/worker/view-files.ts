import { concatBytes } from '../frames.ts';
import { type FileOperation, maxPieceBytes, maxWriteBytes, type SentFile } from '../messages.ts';
import { type Answer, FileFailure } from './channel.ts';

/** Has an operation done on the run's files. Rejects with a FileFailure. */
export type AskForFile = (operation: FileOperation, data?: Uint8Array) => Promise<Answer>;

/** Bytes of a file that a command may read: it is in memory as a whole. */
const maxReadBytes = 64 * 1024 * 1024;
/** How often a file is read anew when somebody changes it meanwhile. */
const maxAttempts = 5;

interface ReadFile {
  readonly data: Uint8Array;
  readonly etag: string;
}

interface Listed {
  readonly entries: readonly SentFile[];
  readonly nextPageToken: string;
}

/**
 * The run's files, as one command sees them. What it has read or written it changes only in the version that it knows: what
 * somebody else has made of it meanwhile is not overwritten unseen, but fails with EBUSY.
 */
export class ViewFiles {
  readonly #ask: AskForFile;
  /** Versions that the command has read or written, by path. */
  readonly #known = new Map<string, string>();
  /** What was written last: who appends again need not read it again. */
  #last: (ReadFile & { readonly path: string }) | undefined;

  constructor(ask: AskForFile) {
    this.#ask = ask;
  }

  async stat(path: string): Promise<SentFile> {
    return (await this.#ask({ operation: 'stat', path })).value as SentFile;
  }

  /** Undefined when nothing is there. */
  async find(path: string): Promise<SentFile | undefined> {
    return this.stat(path).catch((error: unknown) => {
      if (isFailure(error, 'ENOENT', 'ENOTDIR')) {
        return undefined;
      }
      throw error;
    });
  }

  async list(path: string): Promise<readonly SentFile[]> {
    const all: SentFile[] = [];
    let pageToken = '';
    do {
      const { value } = await this.#ask({ operation: 'list', path, pageToken });
      const page = value as Listed;
      all.push(...page.entries);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return all;
  }

  async read(path: string): Promise<Uint8Array> {
    const { data, etag } = await this.#readWhole(path);
    this.#known.set(path, etag);
    return data;
  }

  async write(path: string, data: Uint8Array): Promise<void> {
    const etag = this.#known.get(path) ?? (await this.#versionOf(path));
    await this.#write(path, data, etag);
  }

  /** Puts bytes after what is there, whoever wrote it. */
  async append(path: string, data: Uint8Array): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const before = await this.#readToAppend(path);
      try {
        await this.#write(path, concatBytes([before.data, data]), before.etag);
        return;
      } catch (error) {
        this.#last = undefined;
        if (!isFailure(error, 'EBUSY', 'EEXIST') || attempt === maxAttempts) {
          throw error;
        }
      }
    }
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#ask({ operation: 'make-directory', path });
  }

  async delete(path: string, isRecursive: boolean): Promise<void> {
    const etag = isRecursive ? '' : (this.#known.get(path) ?? '');
    await this.#ask({ operation: 'delete', path, isRecursive, etag });
    this.#forget(path);
  }

  /** Fails with EXDEV between two disks, and with EEXIST when something is there. */
  async move(path: string, toPath: string): Promise<void> {
    await this.#ask({ operation: 'move', path, toPath });
    this.#forget(path);
    this.#forget(toPath);
  }

  async #versionOf(path: string): Promise<string> {
    const file = await this.find(path);
    if (file?.kind === 'directory') {
      throw new FileFailure('EISDIR', `illegal operation on a directory, open '${path}'`);
    }
    return file?.etag ?? '';
  }

  async #readToAppend(path: string): Promise<ReadFile> {
    if (this.#last?.path === path) {
      return this.#last;
    }
    return this.#readWhole(path).catch((error: unknown) => {
      if (isFailure(error, 'ENOENT')) {
        return { data: new Uint8Array(0), etag: '' };
      }
      throw error;
    });
  }

  async #write(path: string, data: Uint8Array, etag: string): Promise<void> {
    if (data.length > maxWriteBytes) {
      throw new FileFailure('EFBIG', `file too large: at most ${maxWriteBytes} bytes, write '${path}'`);
    }
    const { value } = await this.#ask({ operation: 'write', path, etag }, data);
    const file = value as SentFile;
    this.#known.set(path, file.etag);
    this.#last = { path, data, etag: file.etag };
  }

  /** In pieces, all of one version. */
  async #readWhole(path: string): Promise<ReadFile> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const whole = await this.#tryToRead(path);
      if (whole !== undefined) {
        return whole;
      }
    }
    throw new FileFailure('EBUSY', `somebody else goes on changing it, read '${path}'`);
  }

  /** Undefined when it was changed meanwhile. */
  async #tryToRead(path: string): Promise<ReadFile | undefined> {
    const pieces: Uint8Array[] = [];
    let etag: string | undefined;
    let offset = 0;
    while (true) {
      const { value, data } = await this.#ask({ operation: 'read', path, offset, length: maxPieceBytes });
      const file = value as SentFile;
      if (file.size > maxReadBytes) {
        throw new FileFailure('EFBIG', `file too large: at most ${maxReadBytes} bytes, read '${path}'`);
      }
      if (etag !== undefined && etag !== file.etag) {
        return undefined;
      }
      etag = file.etag;
      pieces.push(data);
      offset += data.length;
      if (offset >= file.size || data.length === 0) {
        return { data: pieces.length === 1 ? data : concatBytes(pieces), etag };
      }
    }
  }

  /** A directory takes what is in it along. */
  #forget(path: string): void {
    const isAt = (each: string) => each === path || each.startsWith(`${path}/`);
    [...this.#known.keys()].filter(isAt).forEach((each) => this.#known.delete(each));
    if (this.#last !== undefined && isAt(this.#last.path)) {
      this.#last = undefined;
    }
  }
}

export function isFailure(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof FileFailure && codes.includes(error.code);
}
