/** Whether calls of a server go side by side, as they do at first, or one after another. */
export class CallTurns {
  #isOneByOne = false;
  #last: Promise<unknown> = Promise.resolve();

  /** From now on there is one at a time. */
  oneByOne(): void {
    this.#isOneByOne = true;
  }

  /** Does the work, when its turn has come. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!this.#isOneByOne) {
      return work();
    }
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
