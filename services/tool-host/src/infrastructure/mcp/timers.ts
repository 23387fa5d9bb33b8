/** Timers that end with their owner, and keep no process alive. */
export class Timers implements Disposable {
  readonly #timers = new Set<NodeJS.Timeout>();
  #isOver = false;

  later(ms: number, work: () => void): void {
    if (this.#isOver) {
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }

  every(ms: number, work: () => void): void {
    this.later(ms, () => {
      work();
      this.every(ms, work);
    });
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
  }
}
