/**
 * The request side of a bidirectional call: an iterable that is fed from outside and ends when the call does. connect-node
 * calls `throw` on it when a write fails, and would otherwise wait for ever.
 */
export class FrameQueue<Frame> implements AsyncIterable<Frame>, AsyncIterator<Frame> {
  readonly #frames: Frame[] = [];
  #waiting:
    | { readonly resolve: (result: IteratorResult<Frame>) => void; readonly reject: (error: unknown) => void }
    | undefined;
  #end: { readonly error?: unknown } | undefined;

  /** Takes a frame; does nothing once the call has ended. */
  push(frame: Frame): void {
    if (this.#end !== undefined) {
      return;
    }
    if (this.#waiting === undefined) {
      this.#frames.push(frame);
    } else {
      this.#waiting.resolve({ done: false, value: frame });
      this.#waiting = undefined;
    }
  }

  /** Breaks the call off after what was pushed before. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  next(): Promise<IteratorResult<Frame>> {
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      return Promise.resolve({ done: false, value: frame });
    }
    if (this.#end !== undefined) {
      return 'error' in this.#end ? Promise.reject(this.#end.error) : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Frame>> {
    this.#frames.length = 0;
    this.#finish({});
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<Frame>> {
    this.#frames.length = 0;
    this.#finish({});
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    if (this.#waiting !== undefined) {
      const { resolve, reject } = this.#waiting;
      this.#waiting = undefined;
      if ('error' in end) {
        reject(end.error);
      } else {
        resolve({ done: true, value: undefined });
      }
    }
  }
}
