/** Bytes kept of each end of an output while it is read. */
const windowBytes = 1024 * 1024;
/** Milliseconds between two tellings. */
const tellEveryMs = 50;
/** UTF-16 units that are told at once, at most; of what comes faster only the end is told. */
const maxTold = 64 * 1024;

type Stream = 'stdout' | 'stderr';

/** What a command has put out. */
export interface CollectedOutput {
  /** Both streams as they came; the middle of a long one is left out, and a line says so. */
  readonly text: string;
  /** What of it can not be shown. */
  readonly notices: readonly string[];
}

/**
 * Takes what a command puts out: tells it as it comes, no more than some twenty times a second, and keeps both ends of it. What
 * it keeps does not grow with the output.
 */
export class CommandOutput implements Disposable {
  readonly #tell: (text: string) => void;
  readonly #streams = { stdout: new TextStream(), stderr: new TextStream() };
  readonly #ends = new BothEnds(windowBytes);
  #untold = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  add(stream: Stream, chunk: Uint8Array): void {
    const text = this.#streams[stream].decode(chunk);
    this.#ends.add(text);
    this.#untold = (this.#untold + text).slice(-maxTold);
    this.#timer ??= setTimeout(() => this.#tellRest(), tellEveryMs);
  }

  /** What was collected. `isCut`: the command was killed, perhaps within a character. */
  end(isCut: boolean): CollectedOutput {
    for (const stream of Object.values(this.#streams)) {
      const rest = stream.end(isCut);
      this.#ends.add(rest);
      this.#untold += rest;
    }
    this.#tellRest();
    const notices = Object.entries(this.#streams)
      .filter(([, stream]) => stream.isBinary)
      .map(([name, { bytes }]) => `${name}: binary, ${bytes} bytes`);
    return { text: this.#ends.text(), notices };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #tellRest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#untold !== '') {
      this.#tell(this.#untold);
      this.#untold = '';
    }
  }
}

/** Characters of a stream of bytes, over the borders of its chunks. From the first byte on that is no text there are none. */
class TextStream {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  bytes = 0;
  isBinary = false;

  decode(chunk: Uint8Array): string {
    this.bytes += chunk.length;
    return this.#isText(chunk) ? this.#attempt(() => this.#decoder.decode(chunk, { stream: true })) : '';
  }

  end(isCut: boolean): string {
    return this.isBinary || isCut ? '' : this.#attempt(() => this.#decoder.decode());
  }

  #isText(chunk: Uint8Array): boolean {
    this.isBinary ||= chunk.includes(0);
    return !this.isBinary;
  }

  #attempt(decode: () => string): string {
    try {
      return decode();
    } catch {
      this.isBinary = true;
      return '';
    }
  }
}

/** The head and the tail of a text that may be very long. */
class BothEnds {
  readonly #limit: number;
  #head = '';
  readonly #tail: string[] = [];
  #tailLength = 0;
  #dropped = 0;

  /** `limit` is in UTF-16 units, of each end. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(text: string): void {
    const room = this.#limit - this.#head.length;
    if (room > 0 && this.#tailLength === 0) {
      this.#head += text.slice(0, room);
    }
    const rest = this.#tailLength === 0 ? text.slice(Math.max(0, room)) : text;
    if (rest === '') {
      return;
    }
    this.#tail.push(rest);
    this.#tailLength += rest.length;
    // Whole pieces only, so that each is looked at once.
    for (let first = this.#tail[0]; first !== undefined && this.#tailLength - first.length >= this.#limit; ) {
      this.#tail.shift();
      this.#tailLength -= first.length;
      this.#dropped += first.length;
      first = this.#tail[0];
    }
  }

  text(): string {
    const tail = this.#tail.join('');
    const kept = this.#dropped === 0 ? tail : tail.slice(-this.#limit);
    const dropped = this.#dropped + tail.length - kept.length;
    return dropped === 0 ? this.#head + kept : `${this.#head}\n[… ${dropped} characters are left out here …]\n${kept}`;
  }
}
