/**
 * The turns of a run, over all of its dialogues: what an agent delegates is taken from them too. Whoever waits for others
 * keeps one turn, to make something of what they say.
 */
export class TurnBudget {
  readonly #limit: number;
  #taken: number;
  #waiting = 0;

  /** `taken` counts the turns of earlier dispatches. */
  constructor(limit: number, taken: number) {
    this.#limit = limit;
    this.#taken = taken;
  }

  /** Whether somebody who does not wait may take a turn. */
  get hasTurns(): boolean {
    return this.#taken + this.#waiting < this.#limit;
  }

  take(): void {
    this.#taken += 1;
  }

  /** An agent waits for others until what is returned is disposed. */
  wait(): Disposable {
    this.#waiting += 1;
    return { [Symbol.dispose]: () => void (this.#waiting -= 1) };
  }

  /** Notes that this many turns were taken at least. */
  tookAtLeast(count: number): void {
    this.#taken = Math.max(this.#taken, count);
  }
}
