/** `forth` is from whoever connects to the backend, `back` the other way. */
export type Direction = 'forth' | 'back';

/** What a connection has to go through. */
export interface Conditions {
  readonly delayMs: number;
  readonly sliceBytes: number;
  isHeld(direction: Direction): boolean;
  /** Whether the answer to what is passed on is to be lost, and the connection with it. */
  losesAnswerTo(request: Buffer): boolean;
  untilPassing(direction: Direction): Promise<void>;
}

/** Two stretches of one way. */
export function together(first: LinkConditions, second: LinkConditions): Conditions {
  return {
    get delayMs() {
      return first.delayMs + second.delayMs;
    },
    get sliceBytes() {
      return first.sliceBytes || second.sliceBytes;
    },
    isHeld: (direction) => first.isHeld(direction) || second.isHeld(direction),
    losesAnswerTo: (request) => first.losesAnswerTo(request) || second.losesAnswerTo(request),
    async untilPassing(direction) {
      while (first.isHeld(direction) || second.isHeld(direction)) {
        await first.untilPassing(direction);
        await second.untilPassing(direction);
      }
    },
  };
}

const losesNothing = () => false;

/**
 * The weather on a link. A direction that is held passes nothing, ends and resets included, and loses nothing: as TCP over
 * a route that is gone, what was sent arrives when it is back.
 */
export class LinkConditions implements Conditions {
  /** Milliseconds by which everything is late. */
  delayMs = 0;
  /** Bytes that are passed on at once; 0 = as they come. */
  sliceBytes = 0;
  /** Share of new connections that are reset at once, 0 to 1. */
  lossyShare = 0;
  /** Draws for `lossyShare`. */
  random: () => number = Math.random;
  /** Looks at what is passed forth. True: its answer is lost, and the connection with it. */
  losesAnswerTo: (request: Buffer) => boolean = losesNothing;
  readonly #held = new Set<Direction>();
  #waiting: { readonly direction: Direction; readonly resolve: () => void }[] = [];

  isHeld(direction: Direction): boolean {
    return this.#held.has(direction);
  }

  /** From now on nothing passes in these directions. */
  hold(...directions: readonly Direction[]): void {
    directions.forEach((direction) => this.#held.add(direction));
  }

  /** Fair weather. */
  heal(): void {
    this.delayMs = 0;
    this.sliceBytes = 0;
    this.lossyShare = 0;
    this.losesAnswerTo = losesNothing;
    this.#held.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach(({ resolve }) => resolve());
  }

  losesConnection(): boolean {
    return this.lossyShare > 0 && this.random() < this.lossyShare;
  }

  /** Resolves once the direction is open. */
  untilPassing(direction: Direction): Promise<void> {
    return this.#held.has(direction)
      ? new Promise((resolve) => this.#waiting.push({ direction, resolve }))
      : Promise.resolve();
  }
}
