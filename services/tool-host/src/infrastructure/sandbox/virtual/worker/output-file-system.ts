import { type FileContent, InMemoryFs } from 'just-bash';

type Put = (stream: 'stdout' | 'stderr', data: Uint8Array) => void;

/**
 * Two files that commands append their output to: `/1` and `/2`. They are always empty; what is appended is put out. Whoever opens
 * `/guard` is told of to the guard of redirections.
 */
export class OutputFileSystem extends InMemoryFs {
  readonly #put: Put;

  readonly #guardNext: () => void;

  constructor(put: Put, guardNext: () => void) {
    super({ '/1': '', '/2': '', '/guard': '' });
    this.#put = put;
    this.#guardNext = guardNext;
  }

  override async appendFile(
    path: string,
    content: FileContent,
    options?: { encoding?: string } | string,
  ): Promise<void> {
    if (path === '/guard') {
      this.#guardNext();
      return;
    }
    const data = toBytes(content, options);
    if (data.length > 0) {
      this.#put(path === '/2' ? 'stderr' : 'stdout', data);
    }
  }

  /** A command that opens one anew empties nothing. */
  override async writeFile(
    path: string,
    content: FileContent,
    options?: { encoding?: string } | string,
  ): Promise<void> {
    await this.appendFile(path, content, options);
  }

  override async rm(): Promise<void> {
    // They stay.
  }
}

/** Bytes of what a command writes. The shell tells bytes as a text whose every character is one. */
export function toBytes(content: FileContent, options?: { encoding?: string } | string): Uint8Array {
  if (typeof content !== 'string') {
    return content;
  }
  const encoding = typeof options === 'string' ? options : (options?.encoding ?? 'utf8');
  return encoding === 'utf8' || encoding === 'utf-8'
    ? new TextEncoder().encode(content)
    : Buffer.from(content, encoding === 'binary' ? 'latin1' : (encoding as BufferEncoding));
}
