/** Lets those who write to the same place come one after another, in the order in which they asked. */
export class WriteTurns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Waits for all who asked for one of the places before; whoever gets its turn gives it back by disposing of it. Throws the
   * reason of `signal`, and has then no turn.
   */
  async take(places: readonly string[], signal: AbortSignal): Promise<Disposable> {
    const turn = Promise.withResolvers<void>();
    const before = places.flatMap((place) => this.#last.get(place) ?? []);
    // Those who come later wait for those before as well: whoever gives up does not let them pass.
    const done = Promise.all([...before, turn.promise]).then(() => undefined);
    for (const place of places) {
      this.#last.set(place, done);
    }
    void done.then(() => this.#forget(places, done));
    try {
      await untilAborted(Promise.all(before), signal);
    } catch (error) {
      turn.resolve();
      throw error;
    }
    return { [Symbol.dispose]: () => turn.resolve() };
  }

  #forget(places: readonly string[], done: Promise<void>): void {
    for (const place of places) {
      if (this.#last.get(place) === done) {
        this.#last.delete(place);
      }
    }
  }
}

function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
