/**
 * Hands frames from whoever makes them to one reader, in order. A frame may become one with the last one that still waits,
 * so that a slow reader does not make progress and output pile up.
 */
export class FrameQueue<Frame> {
  readonly #merge: (last: Frame, next: Frame) => Frame | undefined;
  #frames: Frame[] = [];
  #end: (() => void) | undefined;
  #changed = Promise.withResolvers<void>();

  /** `merge` answers what stands for both; undefined = both stay. */
  constructor(merge: (last: Frame, next: Frame) => Frame | undefined) {
    this.#merge = merge;
  }

  /** Does nothing after the end. */
  push(frame: Frame): void {
    if (this.#end !== undefined) {
      return;
    }
    const last = this.#frames.at(-1);
    const merged = last === undefined ? undefined : this.#merge(last, frame);
    if (merged === undefined) {
      this.#frames.push(frame);
    } else {
      this.#frames[this.#frames.length - 1] = merged;
    }
    this.#changed.resolve();
  }

  end(): void {
    this.#endWith(() => undefined);
  }

  /** The reader gets what was pushed, then the error. */
  fail(error: unknown): void {
    this.#endWith(() => {
      throw error;
    });
  }

  /** What was and will be pushed. Waits without a signal: whoever pushes also ends it. */
  async *read(): AsyncGenerator<Frame> {
    for (;;) {
      const frames = this.#frames;
      this.#frames = [];
      yield* frames;
      if (this.#frames.length === 0) {
        if (this.#end !== undefined) {
          return this.#end();
        }
        await this.#changed.promise;
        this.#changed = Promise.withResolvers<void>();
      }
    }
  }

  #endWith(end: () => void): void {
    this.#end ??= end;
    this.#changed.resolve();
  }
}
