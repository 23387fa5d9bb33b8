/** The text of one block as a client puts it together from deltas. Counts UTF-8 bytes. */
export class BlockText {
  readonly messageId: string;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(messageId: string) {
    this.messageId = messageId;
  }

  get text(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  get byteLength(): number {
    return this.#length;
  }

  /** Adds what lies beyond the text that is there; answers the delta's whole text, or undefined when there is a hole. */
  apply({ offset, text, elidedBytes }: { offset: bigint; text: string; elidedBytes: bigint }): string | undefined {
    const from = Number(offset);
    if (elidedBytes > 0n) {
      const to = from + Number(elidedBytes);
      return to > this.#length ? undefined : this.#bytes.toString('utf8', from, to);
    }
    if (text !== '' && from > this.#length) {
      return undefined;
    }
    const added = Buffer.from(text);
    const known = this.#length - from;
    if (added.length > known) {
      this.#append(added.subarray(known));
    }
    return text;
  }

  #append(added: Buffer): void {
    const length = this.#length + added.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(length, this.#bytes.length * 2, 256));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    added.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}
