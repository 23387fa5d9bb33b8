/** A piece of a block and where it begins, in UTF-8 bytes. */
export interface Piece {
  readonly offset: bigint;
  readonly text: string;
}

/**
 * A block that is being streamed. Counts UTF-8 bytes piece by piece, never over the whole, and cuts pieces so that none
 * splits a code point: half of a surrogate pair waits for its other half, one that stays alone becomes U+FFFD.
 */
export class OpenBlock {
  /** All pieces joined: well-formed Unicode. */
  text = '';
  /** UTF-8 bytes of `text`. */
  length = 0;
  #half = '';

  /** Adds text and returns the piece to be said; undefined when there is none yet. */
  append(text: string): Piece | undefined {
    let ready = this.#half === '' ? text : this.#half + text;
    this.#half = '';
    if (isHighSurrogate(ready.charCodeAt(ready.length - 1))) {
      this.#half = ready.slice(-1);
      ready = ready.slice(0, -1);
    }
    return this.#take(ready);
  }

  /** Ends it and returns what was waiting for its other half. */
  end(): Piece | undefined {
    const rest = this.#half;
    this.#half = '';
    return this.#take(rest);
  }

  #take(text: string): Piece | undefined {
    if (text === '') {
      return undefined;
    }
    const ready = text.isWellFormed() ? text : text.toWellFormed();
    const offset = BigInt(this.length);
    this.length += Buffer.byteLength(ready);
    this.text += ready;
    return { offset, text: ready };
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
