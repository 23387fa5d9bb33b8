import { clipText, utf8Length } from '../../domain/text/bounded-text.ts';

export interface WindowLimits {
  /** Number of the first line, from 1. */
  readonly firstLine: number;
  readonly maxLines: number;
  /** UTF-8 bytes of all numbered lines; the first one is kept even when it is longer. */
  readonly maxBytes: number;
}

/** UTF-16 code units of one line that are kept. */
const maxLineLength = 2000;

/** Collects numbered lines from the text of a file that comes in pieces, and holds no more than what it shows. */
export class LineWindow {
  readonly #limits: WindowLimits;
  readonly #shown: string[] = [];
  #shownBytes = 0;
  #isFull = false;
  #lines = 0;
  #partial = '';
  #partialLength = 0;
  #isEnded = false;
  #hasCarriageReturns = false;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** The lines, each behind its number and a tab. */
  get text(): string {
    return this.#shown.join('\n');
  }

  get shownLines(): number {
    return this.#shown.length;
  }

  /** True once a line was left out: reading on shows nothing more. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Lines of the file; undefined when it was not read to its end. */
  get totalLines(): number | undefined {
    return this.#isEnded ? this.#lines : undefined;
  }

  /** True when lines end in `\r\n`, of which only the text is shown. */
  get hasCarriageReturns(): boolean {
    return this.#hasCarriageReturns;
  }

  add(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#extend(text.slice(start, end));
      this.#closeLine();
      start = end + 1;
    }
    this.#extend(text.slice(start));
  }

  /** The file ends here. A line end at its end begins no further line. */
  end(): void {
    if (this.#partialLength > 0) {
      this.#closeLine();
    }
    this.#isEnded = true;
  }

  #extend(text: string): void {
    // One more than is shown, so that a carriage return at the end is seen.
    this.#partial += text.slice(0, Math.max(0, maxLineLength + 2 - this.#partial.length));
    this.#partialLength += text.length;
  }

  #closeLine(): void {
    this.#lines += 1;
    if (this.#lines >= this.#limits.firstLine && !this.#isFull) {
      this.#show(this.#lines);
    }
    this.#partial = '';
    this.#partialLength = 0;
  }

  #show(number: number): void {
    const line = `${number}\t${this.#lineText()}`;
    const bytes = utf8Length(line) + 1;
    const isOver = this.#shown.length > 0 && this.#shownBytes + bytes > this.#limits.maxBytes;
    if (isOver || this.#shown.length === this.#limits.maxLines) {
      this.#isFull = true;
      return;
    }
    this.#shown.push(line);
    this.#shownBytes += bytes;
  }

  #lineText(): string {
    const isWhole = this.#partialLength === this.#partial.length;
    const hasCarriageReturn = isWhole && this.#partial.endsWith('\r');
    this.#hasCarriageReturns ||= hasCarriageReturn;
    const line = hasCarriageReturn ? this.#partial.slice(0, -1) : this.#partial;
    return line.length <= maxLineLength
      ? line
      : `${clipText(line, maxLineLength)}… [line cut: ${maxLineLength} of ${this.#partialLength} characters]`;
  }
}
