/**
 * Hands frames from whoever makes them to one reader, in order. A frame may take the place of the last one that still
 * waits, so that a slow reader does not make progress reports pile up.
 */
export class FrameQueue<Frame> {
  readonly #replaces: (last: Frame, next: Frame) => boolean;
  #frames: Frame[] = [];
  #end: (() => void) | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(replaces: (last: Frame, next: Frame) => boolean) {
    this.#replaces = replaces;
  }

  /** Does nothing after the end. */
  push(frame: Frame): void {
    if (this.#end !== undefined) {
      return;
    }
    const last = this.#frames.at(-1);
    if (last !== undefined && this.#replaces(last, frame)) {
      this.#frames.pop();
    }
    this.#frames.push(frame);
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
