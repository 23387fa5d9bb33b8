/** Makes work with the same key come one after another. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Begins `work` when all that came before with the key has ended. */
  async inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const ended = turn
      .catch(() => undefined)
      .finally(() => {
        if (this.#last.get(key) === ended) {
          this.#last.delete(key);
        }
      });
    this.#last.set(key, ended);
    return turn;
  }
}
